import Analysis
import Deployments
import Testing

/// The tests on values, answer times and distributions, against an independent implementation.
@Suite("Vectors of distributions")
struct DistributionVectorTests {
    let vectors: Vectors

    init() throws {
        self.vectors = try Vectors.load()
    }

    private func counts(_ row: [Double]) -> (canary: MeanCounts, stable: MeanCounts) {
        (
            MeanCounts(count: row[0], sum: row[1], sumOfSquares: row[2]),
            MeanCounts(count: row[3], sum: row[4], sumOfSquares: row[5])
        )
    }

    @Test
    func `the mean process equals the reference`() {
        for vector in self.vectors.mean_eb2.cases {
            var process = MeanProcess(sign: vector.sign, margin: vector.delta, grid: vector.grid)
            for (index, row) in vector.polls.enumerated() {
                let (canary, stable) = self.counts(row)
                process.add(canary: canary, stable: stable, grid: vector.grid)
                expectEqual(process.logE, vector.log_e[index], "sign \(vector.sign), poll \(index)")
            }
        }
    }

    @Test
    func `the rank scores and their process equal the reference`() throws {
        let vector = self.vectors.ridit
        let bounds = vector.history.dropLast().indices.map { Double($0) }
        let ranks = RankScores(history: BinCounts(bounds: bounds, counts: vector.history))
        for (score, expected) in zip(ranks.scores, vector.scores) { expectEqual(score, expected) }
        var process = MeanProcess(sign: 1, margin: vector.delta)
        for (index, poll) in vector.polls.enumerated() {
            let canary = ranks.moments(of: BinCounts(bounds: bounds, counts: poll[0]))
            let stable = ranks.moments(of: BinCounts(bounds: bounds, counts: poll[1]))
            if index == 0 {
                let moments = [
                    canary.count, canary.sum, canary.sumOfSquares, stable.count, stable.sum, stable.sumOfSquares,
                ]
                for (moment, expected) in zip(moments, vector.moments_first_poll) { expectEqual(moment, expected) }
            }
            process.add(canary: canary, stable: stable)
            expectEqual(process.logE, vector.log_e[index], "poll \(index)")
        }
    }

    @Test
    func `the dominance process equals the reference`() {
        for vector in self.vectors.dominance.cases {
            var process = DominanceProcess(
                bounds: vector.bounds,
                factor: vector.r,
                test: AffineTest(ratio: vector.rho, difference: vector.delta)
            )
            for (index, poll) in vector.polls.enumerated() {
                process.add(
                    canary: BinCounts(bounds: vector.bounds, counts: poll[0]),
                    stable: BinCounts(bounds: vector.bounds, counts: poll[1]),
                    grid: vector.grid
                )
                expectEqual(process.logE, vector.log_e[index], "r \(vector.r), poll \(index)")
            }
        }
    }

    @Test
    func `the drift process equals the reference`() throws {
        for vector in self.vectors.drift_plugin {
            #expect(DriftProcess.steadiness == vector.kappas)
            var process = DriftProcess(bins: vector.bins)
            for (index, poll) in vector.polls.enumerated() {
                process.add(canary: poll[0], stable: poll[1])
                expectEqual(process.logE, vector.log_e[index], "poll \(index)")
            }
            expectEqual(try #require(process.stability.correctedIndex), vector.psi_bias_corrected)
        }
    }

    @Test
    func `the stability index and its kin equal the reference`() {
        for vector in self.vectors.psi_js_g {
            let stability = PopulationStability(canary: vector.hc, stable: vector.hs)
            expectEqual(stability.index, vector.psi)
            expectEqual(stability.jensenShannon, vector.js)
            expectEqual(stability.g, vector.g)
        }
        for vector in self.vectors.psi_threshold {
            let threshold = PopulationStability.threshold(
                canary: vector.nc,
                stable: vector.ns,
                bins: vector.bins,
                tolerance: vector.tolerance,
                alpha: vector.alpha
            )
            expectEqual(threshold, vector.threshold)
        }
    }

    @Test
    func `the quantiles of the normal and the chi square distribution equal the reference`() {
        for vector in self.vectors.norm_ppf { expectEqual(Normal.quantile(vector.p), vector.z, "\(vector.p)") }
        for vector in self.vectors.ncx2_quantile_approx {
            let value = ChiSquare.quantile(vector.prob, degreesOfFreedom: vector.k, noncentrality: vector.lam)
            expectEqual(value, vector.value, "\(vector)")
        }
    }

    @Test
    func `quantiles of a histogram and their bounds equal the reference`() throws {
        for vector in self.vectors.histogram_quantile {
            let value = BinCounts(bounds: vector.bounds, counts: vector.hist).quantile(vector.q)
            expectEqual(try #require(value), vector.value, "\(vector.q)")
        }
        for vector in self.vectors.quantile_cs {
            let interval = BinCounts(bounds: vector.bounds, counts: vector.hist)
                .quantileInterval(vector.q, alpha: vector.alpha)
            #expect(interval.lower == vector.lo)
            #expect(interval.upper == vector.hi.value ?? .infinity)
        }
    }

    @Test
    func `the band around a whole distribution equals the reference`() {
        for vector in self.vectors.cdf_band {
            expectEqual(BinCounts.bandHalfWidth(count: vector.n, alpha: vector.alpha), vector.half_width)
        }
    }

    @Test
    func `the evidence of counters that lag a poll behind equals the reference`() {
        let parameters = AnalysisParameters()
        let test = AffineTest(ratio: parameters.breachRatio, difference: parameters.breachDifference)
        for vector in self.vectors.lag_robust {
            var robust = LagRobustBreach(plannedSteps: 5)
            var plain = BreachProcess(plannedSteps: 5)
            robust.beginStep(parameters: parameters)
            plain.beginStep(parameters: parameters)
            for (index, row) in vector.polls.enumerated() {
                let poll = PairedIncrement(
                    canaryTotal: row[0],
                    canaryBad: row[1],
                    stableTotal: row[2],
                    stableBad: row[3]
                )
                robust.add(poll, seconds: 10, test: test, parameters: parameters)
                plain.add(poll, seconds: 10, test: test, parameters: parameters)
                expectEqual(robust.logE, vector.log_e[index] ?? 0, "poll \(index)")
                expectEqual(plain.logE, vector.plain_log_e[index], "poll \(index)")
            }
            #expect(robust.logE < parameters.breachLimit, "a healthy canary in an incident that both share")
        }
    }

    @Test
    func `the decision matrix equals the reference`() throws {
        for vector in self.vectors.decide {
            var parameters = AnalysisParameters()
            parameters.alpha = vector.alpha
            parameters.beta = vector.beta
            parameters.minimumBadPolls = vector.guard_polls
            let evidence = StepEvidence(
                breachLogE: vector.log_breach,
                safeLogEs: vector.log_safes,
                badPolls: vector.error_polls,
                isSharedIncident: vector.shared_incident,
                elapsedSeconds: vector.step_elapsed
            )
            let verdict = evidence.verdict(parameters, atLeast: vector.min_step, atMost: vector.max_step)
            #expect(verdict.rawValue == vector.decision, "\(vector)")
        }
    }
}
