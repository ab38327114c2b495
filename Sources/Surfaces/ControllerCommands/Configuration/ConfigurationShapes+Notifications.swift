import Manifests

extension Shape {
    static let notificationShapes: [Shape] = [.notifications, .receiver, .notificationRoute]

    static let notifications = Shape(
        "notifications",
        [
            .optional("source", "/controller/prod"),
            .required("receivers", "[{name: chat, kind: slack, urlFile: /etc/controller/slack-url}]"),
            .required("routes", "[{receivers: [chat], severities: [warning, critical]}]"),
        ]
    )
    static let receiver = Shape(
        "receiver",
        [
            .required("name", "chat"),
            .required("kind", "slack"),
            .optional("url", "https://events.example/controller"),
            .optional("urlFile", "/etc/controller/slack-url"),
            .optional("secretFile", "/etc/controller/webhook-key"),
            .optional("tokenFile", "/etc/controller/receiver-token"),
            .optional("caFile", "/etc/ssl/certs/internal.pem"),
            .optional("timeout", "15s"),
            .optional("host", "mail.example"),
            .optional("port", "587"),
            .optional("tls", "starttls"),
            .optional("username", "controller"),
            .optional("passwordFile", "/etc/controller/mail-password"),
            .optional("from", "controller@example.com"),
            .optional("to", "[oncall@example.com]"),
        ],
        unavailable: [
            "token": "write the token into a file that only the daemon may read, and name it with `tokenFile`",
            "secret": "write the secret into a file that only the daemon may read, and name it with `secretFile`",
            "password": "write the password into a file that only the daemon may read, and name it with `passwordFile`",
        ]
    )
    static let notificationRoute = Shape(
        "notificationRoute",
        [
            .required("receivers", "[chat]"),
            .optional("namespaces", "[search, team-*]"),
            .optional("labels", "{tier: critical}"),
            .optional("severities", "[warning, critical]"),
            .optional("events", "[rolled-back, retrain]"),
            .optional("groupBy", "[namespace, commit]"),
            .optional("groupWait", "10s"),
            .optional("continue", "true"),
        ]
    )
}
