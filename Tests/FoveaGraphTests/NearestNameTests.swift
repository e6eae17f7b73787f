import FoveaGraph
import Testing

@Suite struct NearestNameTests {
    let names = ["mnist", "fashion-mnist", "shapes", "cifar-10", "cifar-100"]

    @Test(arguments: [
        ("fasion-mnist", "fashion-mnist"), ("fashoin-mnist", "fashion-mnist"), ("MNIST", "mnist"),
        ("mnits", "mnist"), ("mnst", "mnist"), ("mmnist", "mnist"), ("shape", "shapes"),
        ("cifar100", "cifar-100"), ("cifar-1000", "cifar-100"), ("fashion_mnist", "fashion-mnist"),
    ])
    func typingMistakes(typed: String, meant: String) {
        #expect(nearestName(to: typed, among: names) == meant)
    }

    @Test(arguments: ["", "x", "imagenet", "fashion", "tsinm", "shapes-and-many-other-things"])
    func nothingClose(typed: String) {
        #expect(nearestName(to: typed, among: names) == nil)
    }

    @Test func swapsOfNeighboursCostOne() {
        // Only with swaps is "abdc" nearer to "abcd" than to a name two replacements away.
        #expect(nearestName(to: "abdc", among: ["abcd"]) == "abcd")
        #expect(nearestName(to: "badc", among: ["abcd"]) == nil)
    }

    @Test func tiesGoToTheFirst() {
        #expect(nearestName(to: "cot", among: ["cat", "cut"]) == "cat")
        #expect(nearestName(to: "cot", among: ["cut", "cat"]) == "cut")
    }

    @Test func emptyNamesAreNeverMeant() {
        #expect(nearestName(to: "", among: [""]) == nil)
        #expect(nearestName(to: "a", among: ["", "b"]) == nil)
        #expect(nearestName(to: "a", among: [String]()) == nil)
    }

    @Test func advice() {
        #expect(adviceOnName("fasion-mnist", among: names) == "did you mean 'fashion-mnist'?")
        #expect(
            adviceOnName("imagenet", among: names)
                == "known are mnist, fashion-mnist, shapes, cifar-10, cifar-100")
        #expect(
            adviceOnName("x", among: names, heading: "there are", limit: 2)
                == "there are mnist, fashion-mnist")
        #expect(adviceOnName("x", among: []) == "known are none")
    }
}
