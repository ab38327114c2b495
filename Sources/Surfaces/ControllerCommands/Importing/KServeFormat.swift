/// Which of our shipped runtimes serves what KServe calls a model format.
struct KServeFormat: Hashable {
    var runtime: String
    var format: String
    var parameters: [String: String] = [:]

    /// The fields of a predictor that name a framework, as manifests did before `model`.
    static let frameworks = [
        "sklearn", "xgboost", "lightgbm", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "paddle",
    ]

    /// - Parameters:
    ///   - name: `modelFormat.name`.
    ///   - runtime: KServe's own runtime, where one is named.
    ///   - protocolVersion: `v1`, `v2` or `grpc-v2`; `v1` unless told.
    /// - Returns: Nothing when none of ours does the same.
    static func of(_ name: String, runtime: String?, protocolVersion: String?) -> KServeFormat? {
        if let runtime {
            let ofRuntime: KServeFormat? =
                switch runtime {
                case "kserve-tritonserver": .init(runtime: "triton", format: Self.tritonFormats[name] ?? "triton")
                case "kserve-mlserver": Self.mlserver(name)
                case "kserve-sklearnserver", "kserve-xgbserver", "kserve-lgbserver": Self.sdk(name)
                case "kserve-tensorflow-serving": .init(runtime: "tensorflow-serving", format: "tensorflow")
                case "kserve-torchserve": .init(runtime: "torchserve", format: "torchserve")
                case "kserve-huggingfaceserver", "kserve-huggingfaceserver-multinode":
                    .init(runtime: "vllm", format: "huggingface")
                default: nil
                }
            return ofRuntime
        }
        switch name {
        case "sklearn", "xgboost", "lightgbm":
            return protocolVersion?.hasSuffix("v2") == true ? Self.mlserver(name) : Self.sdk(name)
        case "mlflow": return .init(runtime: "mlflow", format: "mlflow")
        case "tensorflow": return .init(runtime: "tensorflow-serving", format: "tensorflow")
        case "pytorch": return .init(runtime: "torchserve", format: "torchserve")
        case "onnx", "tensorrt", "triton": return .init(runtime: "triton", format: name)
        case "huggingface": return .init(runtime: "vllm", format: "huggingface")
        default: return nil
        }
    }

    private static let tritonFormats = ["onnx": "onnx", "tensorrt": "tensorrt", "pytorch": "torchscript"]

    /// KServe's own servers, one Python module for each framework.
    private static func sdk(_ name: String) -> KServeFormat? {
        let modules = ["sklearn": "sklearnserver", "xgboost": "xgbserver", "lightgbm": "lgbserver"]
        return modules[name].map { .init(runtime: "kserve", format: name, parameters: ["module": $0]) }
    }

    private static func mlserver(_ name: String) -> KServeFormat? {
        let implementations = [
            "sklearn": "mlserver_sklearn.SKLearnModel", "xgboost": "mlserver_xgboost.XGBoostModel",
            "lightgbm": "mlserver_lightgbm.LightGBMModel",
        ]
        return implementations[name].map {
            .init(runtime: "mlserver", format: name, parameters: ["implementation": $0])
        }
    }
}
