import Testing

/// The whole product as its users have it: the controller's program, git repositories, Envoy, model servers and load,
/// all real. One at a time, because each has the machine's two cores to itself only then.
@Suite("Integration", .serialized, .timeLimit(.minutes(KillCampaign.minutes)))
struct IntegrationTests {}
