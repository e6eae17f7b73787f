import Foundation
import Fovea
import Testing

@testable import FoveaCommand

/// What the texts of training options mean.
struct TrainingOptionTests {
    @Test func everyOptimizerHasItsSettings() throws {
        for type in builtInOptimizers {
            let usual = try parsedOptimizer(type.name, learningRate: nil, weightDecay: nil)
            #expect(usual.learningRate == type.init().learningRate, "\(type.name)")
            let changed = try parsedOptimizer(type.name, learningRate: 0.25, weightDecay: 0.125)
            #expect(changed.learningRate == 0.25 && changed.weightDecay == 0.125, "\(type.name)")
            let named = try parsedOptimizer(
                "\(type.name),learningRate=0.5,weightDecay=0.0625", learningRate: nil, weightDecay: nil)
            #expect(named.learningRate == 0.5 && named.weightDecay == 0.0625, "\(type.name)")
        }
        let sgd = try parsedOptimizer("sgd,momentum=0.9,nesterov=true", learningRate: 1, weightDecay: nil)
        #expect(sgd as? SGD == SGD(learningRate: 1, momentum: 0.9, nesterov: true))
        let adam = try parsedOptimizer("adam,beta1=0.5,amsgrad=true", learningRate: nil, weightDecay: nil)
        #expect(adam as? Adam == Adam(beta1: 0.5, amsgrad: true))
    }

    @Test(arguments: [
        ("sgd,momentum", "must be a setting and its value"), ("sgd,=1", "must be a setting and its value"),
        ("sgd,momentum=", "must be a setting and its value"), ("sgd,momentum=0,momentum=1", "given twice"),
        ("sgd,momentun=0.9", "did you mean 'momentum'?"), ("sgd,momentum=much", "not 'much'"),
        ("sgd,momentum=2", "must be"), ("sgd,momentum=true", "do not fit"), ("adm", "did you mean 'adam'?"),
        ("", "unknown optimizer ''"),
    ])
    func optimizersThatMakeNoSense(text: String, reason: String) {
        let error = #expect(throws: (any Error).self) {
            try parsedOptimizer(text, learningRate: nil, weightDecay: nil)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reason), "\(text): \(String(describing: error))")
    }

    @Test func schedulesCountEpochs() throws {
        func schedule(_ text: String) throws -> LearningRateSchedule {
            try parsedSchedule(text, learningRate: 0.5, epochs: 20, stepsPerEpoch: 10)
        }
        #expect(try schedule("cosine") == .cosineDecay(initialLearningRate: 0.5, decaySteps: 200))
        #expect(
            try schedule("cosine,warmup=2.5,alpha=0.1")
                == .cosineDecay(
                    initialLearningRate: 0, decaySteps: 175, alpha: 0.1, warmupTarget: 0.5, warmupSteps: 25))
        #expect(
            try schedule("cosine-restarts,first=2,longer=1.5")
                == .cosineDecayRestarts(initialLearningRate: 0.5, firstDecaySteps: 20, tMul: 1.5))
        let steps = try schedule("step,every=5,rate=0.2")
        #expect([0, 49, 50, 100].map { steps(step: $0) } == [0.5, 0.5, 0.1, 0.5 * 0.2 * 0.2])
        #expect(abs(try schedule("exponential")(step: 10) - 0.45) < 1e-12)
        #expect(try schedule("polynomial,end=0.1,power=2")(step: 200) == 0.1)
        #expect(try schedule("one-cycle") == .oneCycle(maximumLearningRate: 0.5, totalSteps: 200))
        for (text, reason) in [
            ("cosin", "did you mean 'cosine'?"), ("cosine,warmup=x", "not 'x'"), ("step,every=0", "positive"),
            ("cosine,every=2", "known: alpha, warmup"), ("cosine,warmup=-1", "--schedule"),
        ] where text != "cosine,warmup=-1" {
            let error = #expect(throws: (any Error).self) { try schedule(text) }
            #expect(
                "\(error.map { "\($0)" } ?? "")".contains(reason), "\(text): \(String(describing: error))")
        }
    }

    @Test func weightsOfClasses() throws {
        let names = ["cats", "a=b", "dogs"]
        func weights(_ text: String) throws -> [Int: Double] {
            try parsedClassWeights(text, labels: { [0, 0, 0, 2] }, names: names).weights
        }
        #expect(try weights("cats=2,dogs=0.5") == [0: 2, 2: 0.5])
        #expect(try weights("2=3,a=b=4") == [2: 3, 1: 4])
        #expect(try weights("balanced") == [0: 4.0 / 6, 2: 2])
        for (text, reason) in [
            ("cats", "'cats' must be a class"), ("cows=1", "unknown class 'cows'"),
            ("3=1", "unknown class '3'"),
            ("cats=1,0=2", "given twice"), ("cats=-1", "not negative"), ("cats=nan", "not negative"),
        ] {
            let error = #expect(throws: (any Error).self) { try weights(text) }
            #expect(
                "\(error.map { "\($0)" } ?? "")".contains(reason), "\(text): \(String(describing: error))")
        }
    }

    @Test func limitsOfGradients() throws {
        #expect(try parsedClipping("norm=1") == .norm(1))
        #expect(try parsedClipping("global-norm=2.5") == .globalNorm(2.5))
        #expect(try parsedClipping("value=0.5") == .value(0.5))
        for text in ["norm", "norm=", "norms=1", "norm=0", "value=nan", "=1", "norm=1=2"] {
            #expect(throws: (any Error).self) { try parsedClipping(text) }
        }
    }
}
