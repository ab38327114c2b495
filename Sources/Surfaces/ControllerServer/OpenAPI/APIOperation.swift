import ControllerAPI
import Hummingbird

/// One thing that the API does: where it is asked for, with what, and what may be answered.
struct APIOperation: Sendable {
    var name: String
    var method: Method
    /// As OpenAPI writes it: `/api/v1/deployments/{namespace}/{name}`.
    var path: String
    var summary: String
    var parameters: [Parameter]
    var body: Body?
    var answers: [Answer]
    /// The statuses of the problems that it may answer.
    var problems: [Int]

    enum Method: String, Hashable, Sendable {
        case get, post, delete

        var request: HTTPRequest.Method {
            switch self {
            case .get: .get
            case .post: .post
            case .delete: .delete
            }
        }
    }

    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }

        var name: String
        var place: Place
        var schema: Schema
        var description: String
    }

    struct Body: Sendable {
        var schema: Schema
        var description: String
    }

    struct Answer: Sendable {
        var status: Int
        var description: String
        /// Nothing when there is no body.
        var mediaType: String?
        var schema: Schema?
        var isTagged: Bool

        static func json(_ schema: Schema, _ description: String, isTagged: Bool = false) -> Answer {
            Answer(
                status: 200,
                description: description,
                mediaType: "application/json",
                schema: schema,
                isTagged: isTagged
            )
        }

        static func text(_ mediaType: String, _ description: String) -> Answer {
            Answer(status: 200, description: description, mediaType: mediaType, schema: .text, isTagged: false)
        }

        static func empty(_ status: Int, _ description: String, isTagged: Bool = false) -> Answer {
            Answer(status: status, description: description, mediaType: nil, schema: nil, isTagged: isTagged)
        }
    }

    init(
        _ name: String,
        _ method: Method,
        _ path: String,
        _ summary: String,
        _ parameters: [Parameter] = [],
        body: Body? = nil,
        answers: [Answer],
        problems: [Int] = []
    ) {
        self.name = name
        self.method = method
        self.path = path
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.problems = problems
    }

    /// - Throws: A `Problem` of a parameter that is given twice: of two values, none is meant.
    func check(_ request: Request) throws(Problem) {
        for parameter in self.parameters where parameter.place == .query {
            if request.uri.queryParameters[values: parameter.name[...]].count > 1 {
                throw .badParameter(parameter.name, "given once")
            }
        }
    }

    /// Whether a request's path is of this form.
    func matches(_ path: String) -> Bool {
        let (form, parts) = (self.path.split(separator: "/"), path.split(separator: "/"))
        return form.count == parts.count && zip(form, parts).allSatisfy { $0.first == "{" || $0 == $1 }
    }
}
