import Analysis
import Deployments
import Testing

@Suite("Vectors")
struct VectorTests {
    let vectors: Vectors

    init() throws {
        self.vectors = try Vectors.load()
    }

    private func poll(_ row: [Double]) -> PairedIncrement {
        PairedIncrement(canaryTotal: row[0], canaryBad: row[1], stableTotal: row[2], stableBad: row[3])
    }

    @Test
    func `the affine increment equals the reference`() {
        for vector in self.vectors.affine_log_e.cases {
            let test = AffineTest(ratio: vector.rho, difference: vector.delta, burst: vector.burst)
            let poll = self.poll([vector.nc, vector.xc, vector.ns, vector.xs])
            expectEqual(test.logE(poll, theta: vector.theta), vector.log_e, "\(vector)", tolerance: 1e-9)
        }
    }

    @Test
    func `the breach process equals the reference`() {
        for vector in self.vectors.breach_process.cases {
            var parameters = AnalysisParameters()
            parameters.breachGrid = vector.params.grid
            parameters.firstStepMass = vector.params.first_step_mass
            parameters.massAtStart = vector.params.at_start
            parameters.massPerTenSeconds = vector.params.hazard
            parameters.alpha = vector.params.alpha
            let test = AffineTest(
                ratio: vector.params.rho,
                difference: vector.params.delta,
                burst: vector.params.burst
            )
            var process = BreachProcess(plannedSteps: vector.params.steps)
            var crossed: Int?
            for (index, row) in vector.polls.enumerated() {
                if vector.step_starts.contains(index) { process.beginStep(parameters: parameters) }
                process.add(self.poll(row), seconds: 10, test: test, parameters: parameters)
                expectEqual(process.logE, vector.log_e[index], "\(vector.name), poll \(index)", tolerance: 1e-9)
                if crossed == nil, process.logE >= parameters.breachLimit { crossed = index + 1 }
            }
            #expect(crossed == vector.crossed_at, "\(vector.name)")
        }
    }

    @Test
    func `the safe process equals the reference`() {
        for vector in self.vectors.safe_process.cases {
            let test = AffineTest.safe(
                toward: vector.next_weight,
                ratio: vector.rho_full,
                difference: vector.delta_full
            )
            expectEqual(test.ratio, vector.rho)
            expectEqual(test.difference, vector.delta)
            var parameters = AnalysisParameters()
            parameters.beta = vector.beta
            var process = SafeProcess(test: test, grid: vector.grid)
            var crossed: Int?
            for (index, row) in vector.polls.enumerated() {
                process.add(self.poll(row), grid: vector.grid)
                expectEqual(process.logE, vector.log_e[index], "\(vector.name), poll \(index)", tolerance: 1e-9)
                if crossed == nil, process.logE >= parameters.safeLimit { crossed = index + 1 }
            }
            #expect(crossed == vector.crossed_at, "\(vector.name)")
        }
    }

    @Test
    func `the safe margins equal the reference`() {
        for vector in self.vectors.safe_margin {
            let test = AffineTest.safe(
                toward: vector.next_weight,
                ratio: vector.rho_full,
                difference: vector.delta_full
            )
            expectEqual(test.ratio, vector.rho)
            expectEqual(test.difference, vector.delta)
        }
    }

    @Test
    func `the absolute gate equals the reference`() {
        for vector in self.vectors.absolute_gate.cases {
            let test = AbsoluteTest(limit: vector.p0)
            // All capital at the start makes the mixture the plain mean over the grid.
            var mixture = StartMixture()
            mixture.begin(mass: 1)
            for (index, row) in vector.polls.enumerated() {
                let counts = EventCounts(bad: row[1], total: row[0])
                mixture.add(test.logE(counts, grid: vector.grid), first: 1, share: 0)
                expectEqual(mixture.logE, vector.log_e[index], "p0 \(vector.p0), poll \(index)", tolerance: 1e-9)
            }
        }
    }

    @Test
    func `the confidence sequence of a rate equals the reference`() throws {
        for vector in self.vectors.beta_binomial.log_m {
            let counts = EventCounts(bad: vector.x, total: vector.n)
            let log = RateSequence.logMixture(counts, rate: vector.p, a: vector.a, b: vector.b)
            expectEqual(log, vector.log_m, "\(vector)")
        }
        for vector in self.vectors.beta_binomial.cs {
            let counts = EventCounts(bad: vector.x, total: vector.n)
            let interval = try #require(RateSequence.interval(counts, alpha: vector.alpha))
            expectEqual(interval.lower, vector.lo, "\(vector)")
            expectEqual(interval.upper, vector.hi, "\(vector)")
        }
    }

    @Test
    func `the confidence sequence of the relative risk equals the reference`() throws {
        for vector in self.vectors.ratio_cs.cases {
            let step = (vector.hi_grid / vector.lo_grid).logarithm / Double(vector.points - 1)
            let candidates = (0..<vector.points).map { vector.lo_grid * (step * Double($0)).exponential }
            let grid = RatioGrid(candidates: candidates, thetas: vector.thetas)
            var sequence = RatioSequence(grid: grid)
            for row in vector.polls { sequence.add(self.poll(row), grid: grid) }
            let interval = try #require(sequence.interval(alpha: vector.alpha, grid: grid))
            expectEqual(try #require(interval.lower), vector.lo)
            expectEqual(try #require(interval.upper), vector.hi)
            expectEqual(sequence.logE(candidate: 0, grid: grid), vector.log_e_first)
            expectEqual(sequence.logE(candidate: vector.points - 1, grid: grid), vector.log_e_last)
            let one = try #require(candidates.firstIndex { abs($0 - 1) < 1e-9 })
            expectEqual(sequence.logE(candidate: one, grid: grid), vector.log_e_at_ratio_1)

            // The coarser grid of the product agrees within its distance.
            var standard = RatioSequence()
            for row in vector.polls { standard.add(self.poll(row)) }
            let coarse = try #require(standard.interval(alpha: vector.alpha))
            #expect(abs(try #require(coarse.lower) / vector.lo - 1) < 0.3)
            #expect(abs(try #require(coarse.upper) / vector.hi - 1) < 0.3)
        }
    }

    @Test
    func `the burst factor equals the reference`() {
        for vector in self.vectors.burst_factor {
            let history = vector.history.map { EventCounts(bad: $0[1], total: $0[0]) }
            expectEqual(BurstFactor.estimate(history), vector.phi)
        }
    }

    @Test
    func `the merged evidence equals the reference`() {
        for vector in self.vectors.combine_breach {
            expectEqual(combinedLogE(vector.log_es, weights: vector.weights), vector.value)
        }
    }

    @Test
    func `the expected requests equal the reference`() throws {
        let parameters = AnalysisParameters()
        for vector in self.vectors.plan_requests {
            let isBreach = vector.kind == "breach"
            let requests = RequestPlan(canaryRate: vector.pc, stableRate: vector.ps, share: vector.share).requests(
                AffineTest(ratio: vector.rho, difference: vector.delta),
                grid: isBreach ? parameters.breachGrid : parameters.safeGrid,
                level: vector.level,
                capital: isBreach ? parameters.firstStepMass * parameters.massAtStart : 1
            )
            if let expected = vector.requests.value {
                expectEqual(try #require(requests), expected, "\(vector)")
            } else {
                #expect(requests == nil, "\(vector)")
            }
        }
    }

    @Test
    func `burn rates equal the reference`() throws {
        for vector in self.vectors.burn_rate {
            let burn = EventCounts(bad: vector.errors, total: vector.total)
                .burnRate(objectivePercent: vector.objective * 100)
            if let expected = vector.burn.value {
                expectEqual(try #require(burn), expected)
            } else {
                #expect(burn == nil)
            }
        }
        let rules = self.vectors.mwmbr_table.map {
            BurnRule(longWindow: .seconds($0.long_s), shortWindow: .seconds($0.short_s), burn: $0.burn)
        }
        #expect(BurnRule.paging + [.ticket] == rules)
    }
}
