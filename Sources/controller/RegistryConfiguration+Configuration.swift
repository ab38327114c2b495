import ControllerCommands
import ModelRegistries

extension RegistryConfiguration {
    init(_ registry: Configuration.ModelRegistry) {
        let credentials: RegistryCredentials =
            switch registry.credentials {
            case .none: .none
            case .tokenFile(let file): .tokenFile(file)
            case .tokenVariable(let name): .tokenVariable(name)
            case .password(let user, let file): .password(user: user, file: file)
            }
        self.init(
            url: registry.url,
            credentials: credentials,
            caFile: registry.caFile,
            timeout: registry.timeout
        )
    }
}
