/// Why a delivery wakes nobody. Whoever sent it learns only that it does not count; the log tells the reason.
enum WebhookRefusal: Error {
    case unknownRepository
    case unsigned
    case wrongSignature
    case badSecret(ControllerServerError)
    case tooLarge(Int)

    /// Without a word of the delivery's.
    var reason: String {
        switch self {
        case .unknownRepository:
            "no repository of this name takes webhooks: compare the end of the URL with the configuration"
        case .unsigned: "it is not signed: give the server the secret, and compare the webhook's kind"
        case .wrongSignature: "its signature is wrong: compare the secrets on both sides"
        case .badSecret(let error): error.message
        case .tooLarge(let limit): "its body has more than \(limit >> 20) MiB"
        }
    }
}
