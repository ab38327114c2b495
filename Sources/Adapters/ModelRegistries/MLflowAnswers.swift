import FoundationEssentials

/// The parts of MLflow's answers that are used. API: https://mlflow.org/docs/latest/rest-api.html
enum MLflowAnswer {
    struct Version: Decodable {
        var model_version: Record

        struct Record: Decodable {
            var name: String
            /// Digits.
            var version: String
            var status: String?
            var run_id: String?
            var tags: [Tag]?
            var aliases: [String]?
        }
    }

    struct Tag: Decodable {
        var key: String
        var value: String?
    }

    struct Model: Decodable {
        var registered_model: Record

        struct Record: Decodable {
            var aliases: [Alias]?
        }

        struct Alias: Decodable {
            var alias: String
            var version: String
        }
    }

    struct Location: Decodable {
        var artifact_uri: String
    }

    struct Listing: Decodable {
        /// Left out of an empty folder, and of one that does not exist.
        var files: [File]?
        /// Not sent by the servers known today; a listing with more would not be all there is.
        var next_page_token: String?

        struct File: Decodable {
            var path: String
            var is_dir: Bool?
            var file_size: Int64?
        }
    }

    /// `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "…"}`
    struct Refusal: Decodable {
        var error_code: String?
        var message: String?

        /// What is no JSON is a proxy's page, of which the status says enough.
        init(of body: [UInt8]) {
            let read = try? JSONDecoder().decode(Refusal.self, from: Data(body.prefix(64 << 10)))
            self.error_code = read?.error_code
            self.message = read?.message
        }
    }
}
