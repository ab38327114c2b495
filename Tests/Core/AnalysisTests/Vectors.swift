import Foundation
import Testing

/// Inputs and expected outputs of every function, computed by an independent implementation in Python.
struct Vectors: Decodable {
    struct Cases<Case: Decodable>: Decodable { var cases: [Case] }

    var affine_log_e: Cases<AffineCase>
    var breach_process: Cases<BreachCase>
    var safe_process: Cases<SafeCase>
    var absolute_gate: Cases<AbsoluteCase>
    var beta_binomial: BetaBinomial
    var ratio_cs: Cases<RatioCase>
    var burst_factor: [BurstCase]
    var combine_breach: [CombineCase]
    var safe_margin: [MarginCase]
    var plan_requests: [PlanCase]
    var burn_rate: [BurnCase]
    var mwmbr_table: [RuleCase]
    var theorem_checks: Cases<TheoremCase>
    var mean_eb2: Cases<MeanCase>
    var dominance: Cases<DominanceCase>
    var ridit: RankCase
    var drift_plugin: [DriftCase]
    var lag_robust: [LagCase]
    var decide: [DecisionCase]
    var quantile_cs: [QuantileBoundsCase]
    var histogram_quantile: [QuantileCase]
    var cdf_band: [BandCase]
    var psi_js_g: [StabilityCase]
    var psi_threshold: [StabilityLimitCase]
    var norm_ppf: [NormalCase]
    var ncx2_quantile_approx: [ChiSquareCase]
    var external: External

    struct AffineCase: Decodable {
        var nc, xc, ns, xs, rho, delta, theta, burst, log_e: Double
    }

    struct BreachCase: Decodable {
        struct Parameters: Decodable {
            var rho, delta, alpha, burst: Double
            var grid: [Double]
            var steps: Int
            var first_step_mass, at_start, hazard: Double
        }
        var name: String
        var params: Parameters
        var step_starts: [Int]
        var polls: [[Double]]
        var log_e: [Double]
        var crossed_at: Int?
    }

    struct SafeCase: Decodable {
        var name: String
        var rho_full, delta_full, next_weight, rho, delta, beta: Double
        var grid: [Double]
        var polls: [[Double]]
        var log_e: [Double]
        var crossed_at: Int?
    }

    struct AbsoluteCase: Decodable {
        var p0: Double
        var grid: [Double]
        var polls: [[Int64]]
        var log_e: [Double]
    }

    struct BetaBinomial: Decodable {
        struct Mixture: Decodable { var p: Double, n: Int64, x: Int64, a: Double, b: Double, log_m: Double }
        struct Bounds: Decodable { var n: Int64, x: Int64, alpha: Double, lo: Double, hi: Double }
        var log_m: [Mixture]
        var cs: [Bounds]
    }

    struct RatioCase: Decodable {
        var polls: [[Double]]
        var alpha: Double
        var points: Int
        var lo_grid, hi_grid: Double
        var thetas: [Double]
        var lo, hi, log_e_at_ratio_1, log_e_first, log_e_last: Double
    }

    struct BurstCase: Decodable { var history: [[Int64]], phi: Double }
    struct CombineCase: Decodable { var log_es: [Double], weights: [Double], value: Double }
    struct MarginCase: Decodable { var rho_full, delta_full, next_weight, rho, delta: Double }
    struct PlanCase: Decodable {
        var pc, ps, share, rho, delta, level: Double
        var kind: String
        var requests: Number
    }
    struct BurnCase: Decodable { var errors: Int64, total: Int64, objective: Double, burn: Number }
    struct RuleCase: Decodable { var severity: String, long_s: Int, short_s: Int, burn: Double }
    struct TheoremCase: Decodable {
        var nc: Int, ns: Int, rho: Double, delta: Double, theta: Double, ps: Double, pc: Double
    }

    struct MeanCase: Decodable {
        var sign, delta: Double
        var grid: [Double]
        var polls: [[Double]]
        var log_e: [Double]
    }

    struct DominanceCase: Decodable {
        var bounds: [Double]
        var r, rho, delta: Double
        var grid: [Double]
        var polls: [[[Int64]]]
        var log_e: [Double]
    }

    struct RankCase: Decodable {
        var history: [Int64]
        var scores: [Double]
        var polls: [[[Int64]]]
        var delta: Double
        var moments_first_poll: [Double]
        var log_e: [Double]
    }

    struct DriftCase: Decodable {
        var bins: Int
        var kappas: [Double]
        var polls: [[[Double]]]
        var log_e: [Double]
        var psi_bias_corrected: Double
    }

    struct LagCase: Decodable { var polls: [[Double]], log_e: [Double?], plain_log_e: [Double] }

    struct DecisionCase: Decodable {
        var log_breach: Double
        var log_safes: [Double]
        var alpha, beta: Double
        var error_polls, guard_polls: Int
        var step_elapsed, min_step, max_step: Double
        var shared_incident: Bool
        var decision: String

        enum CodingKeys: String, CodingKey {
            case log_breach, log_safes, alpha, beta, error_polls
            case guard_polls = "guard"
            case step_elapsed, min_step, max_step, shared_incident, decision
        }
    }

    struct QuantileBoundsCase: Decodable {
        var bounds: [Double], hist: [Int64], q: Double, alpha: Double, lo: Double, hi: Number
    }
    struct QuantileCase: Decodable { var bounds: [Double], hist: [Int64], q: Double, value: Double }
    struct BandCase: Decodable { var n, alpha, half_width: Double }
    struct StabilityCase: Decodable { var hc: [Double], hs: [Double], psi: Double, js: Double, g: Double }
    struct StabilityLimitCase: Decodable {
        var nc, ns: Double, bins: Int, tolerance: Double, alpha: Double, threshold: Double
    }
    struct External: Decodable { var kayenta_mann_whitney_R_tieout: ShiftCase }
    struct ShiftCase: Decodable {
        var experiment, control: [Double]
        var ci_low, ci_high, estimate, tolerance_ci, tolerance_estimate: Double
    }
    struct NormalCase: Decodable { var p, z: Double }
    struct ChiSquareCase: Decodable { var prob, k, lam, value: Double }

    /// A number, or one of the texts for what JSON cannot say: `inf`, `nan`.
    struct Number: Decodable {
        var value: Double?
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            // Texts stand for "no finite number", which is what these tests compare with nothing.
            self.value = try? container.decode(Double.self)
        }
    }

    static func load() throws -> Vectors {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/statistics.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
    }
}

/// Equal to the stated tolerance, absolute or relative: a millionth, or a thousandth of that for the central tests.
func expectEqual(
    _ actual: Double,
    _ expected: Double,
    _ comment: Comment? = nil,
    tolerance: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(abs(actual - expected) <= tolerance * max(1, abs(expected)), comment, sourceLocation: sourceLocation)
}
