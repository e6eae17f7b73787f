import Foundation
import Testing

@testable import FoveaTraining

struct LearningRateScheduleTests {
    private struct Records: Decodable {
        struct Record: Decodable {
            let peer: String
            let schedule: LearningRateSchedule
            let steps: [Int]
            let rates: [Double]
        }
        let schedules: [Record]
    }

    /// Keras's schedules, and PyTorch's StepLR and OneCycleLR.
    @Test func agreesWithPeers() throws {
        let records = try golden("schedules", as: Records.self).schedules
        #expect(Set(records.map(\.schedule.name)).count == 7)
        for record in records {
            try record.schedule.checkSettings()
            let largest = record.rates.max() ?? 0
            for (step, rate) in zip(record.steps, record.rates) {
                let found = record.schedule(step: step)
                // The file has nine digits; rates that end at 0 do so with the rounding of the largest.
                #expect(
                    abs(found - rate) <= 1e-8 * rate + 1e-16 * largest,
                    "\(record.peer), \(record.schedule) at step \(step): \(found), not \(rate)")
            }
        }
    }

    @Test func defaultsAreThePeers() throws {
        let schedules = try golden("schedules", as: Records.self).schedules.map(\.schedule)
        let withDefaults: [LearningRateSchedule] = [
            .exponentialDecay(initialLearningRate: 0.1, decaySteps: 30, decayRate: 0.7),
            .inverseTimeDecay(initialLearningRate: 0.1, decaySteps: 30, decayRate: 0.7),
            .polynomialDecay(initialLearningRate: 0.1, decaySteps: 30),
            .cosineDecay(initialLearningRate: 0.1, decaySteps: 40),
            .cosineDecayRestarts(initialLearningRate: 0.1, firstDecaySteps: 10),
            .oneCycle(maximumLearningRate: 0.1, totalSteps: 100),
        ]
        for schedule in withDefaults { #expect(schedules.contains(schedule), "\(schedule)") }
    }

    @Test func constant() {
        for step in [0, 1, 1000, .max] { #expect(LearningRateSchedule.constant(0.3)(step: step) == 0.3) }
        #expect(LearningRateSchedule.piecewiseConstant(boundaries: [], values: [0.3])(step: 7) == 0.3)
    }

    @Test func extremesStayInRange() throws {
        let schedules: [LearningRateSchedule] = [
            .exponentialDecay(initialLearningRate: 1, decaySteps: .max, decayRate: 0, staircase: true),
            .inverseTimeDecay(initialLearningRate: 1, decaySteps: 1, decayRate: 1e300),
            .polynomialDecay(initialLearningRate: 1, decaySteps: 3, power: 0.1, cycle: true),
            .polynomialDecay(initialLearningRate: 1, decaySteps: .max, power: 0.1, cycle: true),
            .cosineDecay(initialLearningRate: 0, decaySteps: .max, warmupTarget: 1, warmupSteps: .max),
            .cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1),
            .cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 3, tMul: 1, mMul: 0),
            .cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 3, tMul: 1 + 1e-15, mMul: 0.5),
            .cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: .max, tMul: 1e300),
            .oneCycle(maximumLearningRate: 1, totalSteps: 1),
            .oneCycle(maximumLearningRate: 1, totalSteps: .max),
            .oneCycle(maximumLearningRate: 1, totalSteps: 1, warmupFraction: 1),
            .oneCycle(maximumLearningRate: 1, totalSteps: 2, warmupFraction: 0.5),
            .oneCycle(maximumLearningRate: 1, totalSteps: 9, warmupFraction: 1),
            .oneCycle(maximumLearningRate: 1, totalSteps: 9, warmupFraction: 0),
        ]
        for schedule in schedules {
            try schedule.checkSettings()
            for step in [0, 1, 2, 3, 8, 9, 10, 1_000_003, .max] {
                #expect((0...1).contains(schedule(step: step)), "\(schedule) at step \(step)")
            }
        }
        // A rise of one step has its top there; a cycle that only rises ends at its top.
        #expect(
            LearningRateSchedule.oneCycle(maximumLearningRate: 1, totalSteps: 2, warmupFraction: 0.5)(step: 0)
                == 1)
        #expect(
            LearningRateSchedule.oneCycle(maximumLearningRate: 1, totalSteps: 9, warmupFraction: 1)(step: 8)
                == 1)
    }

    /// Each restart is at the step that the lengths of the periods before it add up to.
    @Test(arguments: [1, 1.5, 2, 3]) func restartsAreSteps(_ growth: Double) {
        let schedule = LearningRateSchedule.cosineDecayRestarts(
            initialLearningRate: 1, firstDecaySteps: 64, tMul: growth)
        var (start, length) = (0.0, 64.0)
        for _ in 0..<6 {
            #expect(schedule(step: Int(start)) == 1)
            if start > 0 { #expect(schedule(step: Int(start) - 1) < 0.01) }
            start += length
            length *= growth
        }
    }

    @Test(
        arguments: [
            (.constant(-1), "rate"), (.constant(.nan), "rate"),
            (.piecewiseConstant(boundaries: [3, 3], values: [1, 1, 1]), "boundaries"),
            (.piecewiseConstant(boundaries: [-1], values: [1, 1]), "boundaries"),
            (.piecewiseConstant(boundaries: [1], values: [1]), "values"),
            (.piecewiseConstant(boundaries: [], values: []), "values"),
            (.piecewiseConstant(boundaries: [1], values: [1, -1]), "values"),
            (.exponentialDecay(initialLearningRate: 1, decaySteps: 0, decayRate: 1), "decaySteps"),
            (.exponentialDecay(initialLearningRate: 1, decaySteps: 1, decayRate: -1), "decayRate"),
            (
                .exponentialDecay(initialLearningRate: .infinity, decaySteps: 1, decayRate: 1),
                "initialLearningRate"
            ),
            (.inverseTimeDecay(initialLearningRate: 1, decaySteps: -5, decayRate: 1), "decaySteps"),
            (.inverseTimeDecay(initialLearningRate: 1, decaySteps: 1, decayRate: -0.5), "decayRate"),
            (.polynomialDecay(initialLearningRate: 1, decaySteps: 1, endLearningRate: -1), "endLearningRate"),
            (.polynomialDecay(initialLearningRate: 1, decaySteps: 1, power: 0), "power"),
            (.cosineDecay(initialLearningRate: 1, decaySteps: 1, alpha: 1.5), "alpha"),
            (.cosineDecay(initialLearningRate: 1, decaySteps: 1, warmupTarget: -1), "warmupTarget"),
            (.cosineDecay(initialLearningRate: 1, decaySteps: 1, warmupSteps: 5), "warmupSteps"),
            (
                .cosineDecay(initialLearningRate: 1, decaySteps: 1, warmupTarget: 1, warmupSteps: -1),
                "warmupSteps"
            ),
            (.cosineDecayRestarts(initialLearningRate: -1, firstDecaySteps: 1), "initialLearningRate"),
            (.cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 0), "firstDecaySteps"),
            (.cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, tMul: 0.5), "tMul"),
            (.cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, tMul: .infinity), "tMul"),
            (.cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, mMul: -1), "mMul"),
            (.cosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, alpha: 2), "alpha"),
            (.oneCycle(maximumLearningRate: -1, totalSteps: 1), "maximumLearningRate"),
            (.oneCycle(maximumLearningRate: 1, totalSteps: 0), "totalSteps"),
            (.oneCycle(maximumLearningRate: 1, totalSteps: 1, warmupFraction: -0.1), "warmupFraction"),
            (.oneCycle(maximumLearningRate: 1, totalSteps: 1, initialDivisor: 0), "initialDivisor"),
            (.oneCycle(maximumLearningRate: 1, totalSteps: 1, finalDivisor: .nan), "finalDivisor"),
        ] as [(LearningRateSchedule, String)])
    func settingsOutOfRange(_ schedule: LearningRateSchedule, _ setting: String) throws {
        let error = try #require(throws: TrainingError.self) { try schedule.checkSettings() }
        #expect(error.description.hasPrefix("\(setting) of the schedule \(schedule.name) is "))
        _ = schedule(step: 3)
    }

    @Test func roundTrip() throws {
        for record in try golden("schedules", as: Records.self).schedules {
            let text = try JSONEncoder().encode(record.schedule)
            #expect(try JSONDecoder().decode(LearningRateSchedule.self, from: text) == record.schedule)
        }
    }
}
