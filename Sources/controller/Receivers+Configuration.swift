import ControllerCommands
import Notifications
import Reconciliation
import Transport

extension Receivers {
    init(
        _ notifications: Configuration.Notifications,
        client: HTTPClient,
        now: @escaping NotificationClock
    ) {
        self.init(
            notifications.receivers.map { ReceiverConfiguration($0, source: notifications.source) },
            routes: NoticeRoutes(notifications.routes.map { NoticeRoutes.Route($0) }),
            client: client,
            now: now
        )
    }
}

extension ReceiverConfiguration {
    fileprivate init(_ receiver: Configuration.Receiver, source: String) {
        let kind: Kind =
            switch receiver.target {
            case .slack(let address): .slack(Address(address))
            case .webhook(let address, let secret, let token):
                .webhook(Address(address), Signing(secretFile: secret, tokenFile: token))
            case .alertmanager(let address, let token): .alertmanager(Address(address), tokenFile: token)
            case .email(let server): .email(MailServer(server))
            }
        self.init(
            name: receiver.name,
            kind: kind,
            caFile: receiver.caFile,
            timeout: receiver.timeout,
            source: source
        )
    }
}

extension ReceiverConfiguration.Address {
    fileprivate init(_ address: Configuration.Receiver.Address) {
        switch address {
        case .url(let url): self = .url(url)
        case .file(let path): self = .file(path)
        }
    }
}

extension ReceiverConfiguration.MailServer {
    fileprivate init(_ server: Configuration.MailServer) {
        let encryption: MailRequest.Encryption =
            switch server.tls {
            case .starttls: .startTLS
            case .implicit: .implicit
            case .nothing: .none
            }
        self.init(
            host: server.host,
            port: server.port,
            encryption: encryption,
            username: server.username,
            passwordFile: server.passwordFile,
            from: server.from,
            to: server.to
        )
    }
}

extension NoticeRoutes.Route {
    fileprivate init(_ route: Configuration.Route) {
        self.init(
            namespaces: route.namespaces,
            labels: route.labels,
            severities: Set(route.severities.compactMap { Notice.Severity(rawValue: $0.rawValue) }),
            events: Set(route.events),
            receivers: route.receivers,
            groupBy: route.groupBy.compactMap { NoticeRoutes.GroupKey(rawValue: $0.rawValue) },
            groupWait: route.groupWait,
            continues: route.continues
        )
    }
}
