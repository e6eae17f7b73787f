import Foundation
import Fovea

extension Lesson0 {
    /// Five networks that made history, by year and size.
    func history() throws {
        course.section("Networks that made history")
        // The counts that are published hold for 1,000 classes.
        let networks: [(name: String, year: Int, network: NamedNetwork, published: Double?)] = [
            ("LeNet-5", 1998, .leNet5, nil), ("AlexNet", 2012, .alexNet, nil),
            ("VGG-16", 2014, .vgg16, 138_357_544), ("GoogLeNet", 2014, .googLeNet, nil),
            ("ResNet-50", 2015, .resNet50, 25_636_712),
        ]
        print(try NamedNetwork.leNet5.model().summary())
        print("   network     year   layers   parameters   image")
        var millions: [Double] = []
        for (name, year, network, published) in networks {
            let model = try network.model()
            print(
                "   \(name.padding(toLength: 12, withPad: " ", startingAt: 0))\(year)"
                    + String(format: "%9d%13d", model.layers.count, model.parameterCount)
                    + "   \(network.inputShape)")
            millions.append(Double(model.parameterCount) / 1e6)
            if let published {
                course.record(
                    "parameters of \(name)", Double(model.parameterCount), published: published,
                    isShortened: false)
            }
        }
        var panel = Panel(yLabel: "parameters in millions", [.bars(millions)])
        panel.marks += millions.enumerated().map { place, number in
            .text(String(format: "%.2f", number), x: Double(place), y: number, position: .above)
        }
        panel.yScale = .log
        panel.yLimits = 0.01...1000
        panel.xTicks = .names(networks.map { "\($0.name)\n\($0.year)" })
        try course.show(Figure(panel), "networks.png")
    }
}
