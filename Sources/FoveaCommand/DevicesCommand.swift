import ArgumentParser
import Foundation
import Fovea

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List what networks can be computed on.",
        discussion: """
            'fovea train --device NAME' takes the names of the first column. GPUs, and for trying out the CPU, are computed on by \
            plugins: libraries with the PJRT interface, of which each is opened to see what it gives.
            """)

    func run() async throws {
        let cpu = try Device.cpu.backend
        let details = cpu.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        say("cpu      \(details.joined(separator: ", ")), \(cpu.threadCount) threads")
        let files = PluginFile.all()
        for file in files { show(file) }
        if files.isEmpty { say("There is no plugin.") }
        say(
            """

            Plugins are packages of Python's, of which nothing but one file is used:
              a GPU of NVIDIA:   python3 -m venv .venv && .venv/bin/pip install "jax[cuda13]"
              the CPU:           scripts/plugin, in Fovea's sources
            They are found in Python's environments and in the folder 'plugins' of Fovea's cache; FOVEA_PJRT_PLUGIN may name the file
            of another.
            """)
    }

    private func show(_ file: PluginFile) {
        do {
            let backend = try XLABackend(plugin: file.path)
            let memory = backend.deviceMemory.map { ", \($0 >> 20) MiB" } ?? ""
            let details = backend.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let name = backend.kind.deviceName
            say(
                name.padding(toLength: 9, withPad: " ", startingAt: 0)
                    + "\(visible(backend.deviceName))\(memory): \(visible(details.joined(separator: ", ")))\n"
                    + "         \(visible(file.path))")
        } catch { say("-        \(error)") }
    }
}
