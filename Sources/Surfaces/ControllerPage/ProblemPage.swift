package import ControllerAPI
package import Foundation

/// Why a page could not be had, and what to do.
package enum ProblemPage {
    package static func render(_ problem: Problem, viewer: String?, now: Date) -> String {
        PageShell(viewer: viewer, time: now).page(
            title: problem.title,
            isLive: false,
            """
            <h1>\(problem.title)</h1>
            <p>\(problem.detail)</p>
            <p><a href="/">To the fleet</a></p>
            """
        )
    }
}
