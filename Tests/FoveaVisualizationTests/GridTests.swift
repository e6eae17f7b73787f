import FoveaDatasets
import FoveaGraph
import FoveaPictures
import FoveaTraining
import Testing

@testable import FoveaVisualization

@Suite struct GridTests {
    private func kind(_ body: () throws -> Void) -> VisualizationError.Kind? {
        do { try body() } catch { return (error as? VisualizationError)?.kind }
        return nil
    }

    @Test func imagesStandInRowsWithTheirTitles() throws {
        let picture = try Picture(height: 1, width: 1, channels: 1, pixels: [200])
        let figure = try Figure.images(
            [picture, TensorValue([[0.5, 1]]), [[1, 2], [3, 4]]], titles: ["<b>", "", "a\nb"])
        #expect(figure.columns == 2 && figure.panels.map(\.title) == ["<b>", "", "a\nb"])
        #expect(figure.panels.allSatisfy { !$0.hasAxes })
        for theme in Figure.Theme.allCases {
            #expect(try !Figure.images([picture], theme: theme).encoded(as: .png).isEmpty)
        }
        #expect(kind { _ = try Figure.images([]) } == .noData)
        #expect(kind { _ = try Figure.images([picture], titles: ["a", "b"]) } == .wrongShape)
        #expect(kind { _ = try Figure.images([[1.0, 2]]).encoded(as: .png) } == .wrongShape)
    }

    /// A grey picture is shown from black to white, whatever it contains.
    @Test func greyPicturesKeepTheirLight() throws {
        let picture = try Picture(height: 1, width: 1, channels: 1, pixels: [200])
        let drawn = try Figure.images([picture]).picture()
        let middle = 3 * (drawn.height / 2 * drawn.width + drawn.width / 2)
        #expect(Array(drawn.pixels[middle..<middle + 3]) == [200, 200, 200])
    }

    @Test func examplesHaveTheNamesOfTheirClasses() throws {
        let images = TensorValue(unchecked: [3, 2, 2, 1], .uint8((0..<12).map { UInt8($0 * 20) }))
        let names = ["cat", "dog"]
        let numbers = try Examples(inputs: images, targets: TensorValue(unchecked: [3], .int32([1, 0, 7])))
        #expect(
            try Figure.images(of: numbers, count: 100, classNames: names).panels.map(\.title) == [
                "dog", "cat", "7",
            ])
        let rows = try Examples(
            inputs: images, targets: TensorValue([[0, 1], [1, 0], [0, 1]] as [[Float]]))
        #expect(
            try Figure.images(of: rows, count: 2, classNames: names).panels.map(\.title) == ["dog", "cat"])
        let flat = try Examples(inputs: TensorValue([[1.0, 2]]), targets: TensorValue([[0.0]]))
        #expect(kind { _ = try Figure.images(of: flat) } == .wrongShape)
    }

    @Test(arguments: Figure.Theme.allCases) func rightAndWrongAnswersDiffer(_ theme: Figure.Theme) throws {
        let report = try ClassificationReport(
            targets: TensorValue(unchecked: [2], .int32([0, 1])),
            predictions: TensorValue([[0.9, 0.1], [0.75, 0.25]]), classNames: ["a & b", "c"])
        let image: [[Double]] = [[0, 1]]
        let figure = try Figure.predictions(
            [image, image], answers: report.answers, classNames: report.confusion.classNames, theme: theme)
        #expect(figure.panels.map(\.title) == ["a & b (90.0\u{a0}%)", "a & b (75.0\u{a0}%)\ntrue: c"])
        #expect(figure.panels.map(\.accent) == [theme.right, theme.wrong])
        #expect(try !figure.encoded(as: .png).isEmpty)
        #expect(kind { _ = try Figure.predictions([image], answers: report.answers) } == .wrongShape)
    }

    @Test func augmentationsBeginWithThePicture() throws {
        let picture = try Picture(
            height: 8, width: 8, channels: 3, pixels: (0..<192).map { UInt8($0) })
        let figure = try Augmentation(rotationRange: 90, horizontalFlip: true).plot(
            picture, count: 5, seed: 3)
        #expect(figure.panels.count == 6 && figure.panels[0].title == "as it is")
        #expect(try !figure.encoded(as: .png).isEmpty)
        #expect(throws: VisualizationError.self) { try Augmentation().plot(picture, count: 0) }
    }

    // MARK: Feature maps

    /// Channel c of 2×2 has the numbers 0, 1, 2 and 3 times c: of mean 1.5 c and deviation 1.118 c.
    private func activation(_ channels: Int) -> TensorValue {
        let numbers = (0..<4).flatMap { place in (0..<channels).map { Float(place * $0) } }
        return TensorValue(unchecked: [2, 2, channels], .float32(numbers))
    }

    @Test func channelsAreStandardized() throws {
        let figures = try Figure.featureMaps(activation(17), colorMap: .gray)
        #expect(figures.count == 1)
        #expect(figures[0].panels.count == 1 && figures[0].title.isEmpty)
        let sheet = try Figure.featureMaps(activation(2), colorMap: .gray)[0].picture()
        let samples = Set(stride(from: 0, to: sheet.pixels.count, by: 3).map { sheet.pixels[$0] })
        // (x - 1.5) / 1.118 · 64 + 128 of 0, 1, 2 and 3; 128 of what is constant; the background.
        #expect(samples.isSuperset(of: [42, 99, 156, 213, 128, 255]), "\(samples.sorted())")
    }

    @Test func thousandsOfChannelsHaveSeveralFigures() throws {
        let figures = try Figure.featureMaps(activation(2_000), title: "conv", theme: .dark)
        #expect(figures.count == 4)
        #expect(figures.map(\.title).first == "conv, channels 0–511")
        #expect(figures.map(\.title).last == "conv, channels 1536–1999")
        #expect(try !figures[3].encoded(as: .png).isEmpty)
        let odd = TensorValue(unchecked: [1, 1, 1, 3], .float32([.nan, .infinity, 1]))
        #expect(try !Figure.featureMaps(odd)[0].encoded(as: .png).isEmpty)
        #expect(kind { _ = try Figure.featureMaps(TensorValue([1, 2] as [Float])) } == .wrongShape)
        #expect(kind { _ = try Figure.featureMaps(activation(2), perRow: 0) } == .invalidArgument)
    }
}
