import Foundation
import Fovea

/// Five lessons on convolutional networks, each a program from top to bottom.
///
/// `swift run -c release Lessons [NUMBER…] [--full] [--output FOLDER] [--weights FOLDER]` runs those with these numbers, or all. Without `--full` they
/// are quick: fewer examples, epochs and steps. Figures go to a folder for each lesson.
@main
struct Lessons {
    @MainActor static var all: [any Lesson.Type] {
        [Lesson0.self, Lesson1.self, Lesson2.self, Lesson3.self, Lesson4.self]
    }

    @MainActor static func main() async {
        do {
            let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
            var results: [Course.Result] = []
            for lesson in all where arguments.numbers.contains(lesson.number) {
                let course = try Course(
                    lesson, isFull: arguments.isFull, output: arguments.output, weights: arguments.weights)
                try await lesson.init(course: course).run()
                results += course.results
            }
            try Course.report(results, isFull: arguments.isFull, to: arguments.output)
        } catch let error as Problem {
            FileHandle.standardError.write(Data("\(error.text)\n".utf8))
            exit(64)
        } catch {
            FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
            exit(1)
        }
    }

    /// What cannot be done as it was asked for.
    struct Problem: Error { let text: String }

    /// What was asked for.
    struct Arguments {
        var numbers: Set<Int> = []
        var isFull = false
        var output = "runs/lessons"
        /// Where `make lessons` has put packages with weights.
        var weights: String?

        @MainActor init(_ arguments: [String]) throws {
            let known = Lessons.all.map { $0.number }
            let usage =
                "usage: Lessons [<number> ...] [--full] [--output <folder>] [--weights <folder>], numbers: \(known)"
            var rest = arguments.makeIterator()
            while let argument = rest.next() {
                if argument == "--full" {
                    isFull = true
                } else if argument == "--output", let folder = rest.next() {
                    output = folder
                } else if argument == "--weights", let folder = rest.next() {
                    weights = folder
                } else if let number = Int(argument), known.contains(number) {
                    numbers.insert(number)
                } else {
                    throw Problem(text: "'\(argument)' is no lesson and no option\n\(usage)")
                }
            }
            if numbers.isEmpty { numbers = Set(known) }
        }
    }
}
