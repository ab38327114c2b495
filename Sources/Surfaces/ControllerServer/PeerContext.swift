import Glibc
import Hummingbird
import NIOCore

/// A request and the process that sent it.
struct PeerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
    }

    /// The user that the kernel says opened the connection.
    ///
    /// - Throws: When the socket is not a unix socket or the connection is gone.
    func peer() async throws -> Peer {
        guard let socket = self.channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        let credentials: Credentials = try await socket.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        ).get()
        return Peer(user: credentials.user)
    }

    /// `struct ucred` of Linux's unix(7), that Glibc hides behind `_GNU_SOURCE`: three numbers of 32 bits.
    private struct Credentials {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }
}
