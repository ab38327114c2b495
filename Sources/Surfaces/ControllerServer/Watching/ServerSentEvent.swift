import ControllerAPI
import Foundation
import NIOCore

/// A message as `text/event-stream` has it. JSON has no line breaks, so that its data is one line.
enum ServerSentEvent {
    static let mediaType = "text/event-stream"
    /// Proxies and clients give up on what is silent.
    static let keepAlive = ByteBuffer(string: ": the controller is there\n\n")

    static func message(_ event: String, _ data: some Encodable) throws -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: \(event)\ndata: ")
        buffer.writeBytes(try APICoding.encoder().encode(data))
        buffer.writeString("\n\n")
        return buffer
    }

    /// Where whoever has read so far goes on. It has no data, so that nobody is told of it.
    static func mark(_ place: WatchPlace) -> ByteBuffer {
        ByteBuffer(string: "id: \(place)\n\n")
    }

    /// What is told of a deployment that is gone.
    struct Removal: Encodable {
        var namespace: String
        var name: String
    }

    /// What begins a list of all that there is.
    struct Beginning: Encodable {
        /// How many deployments follow.
        var deployments: Int
    }

    /// Why no more comes.
    struct End: Encodable {
        var reason: String
    }
}
