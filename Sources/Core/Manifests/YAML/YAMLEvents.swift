import CYaml

/// What libyaml finds in a text, one after the other.
enum YAMLEvent {
    case streamStart
    case streamEnd
    case documentStart
    case documentEnd
    case alias(name: String, TextPosition)
    case scalar(YAMLScalar, Properties, TextPosition)
    case sequenceStart(Properties, TextPosition)
    case sequenceEnd
    case mappingStart(Properties, TextPosition)
    case mappingEnd

    /// What may stand before a node: `&anchor !tag`.
    struct Properties {
        var anchor: String?
        var tag: String?
    }
}

/// libyaml's parser over one text, which must outlive it.
///
/// The parser keeps a pointer into its own struct, so the struct lives on the heap and never moves: as a stored
/// property it crashed.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeBufferPointer<UInt8>
    /// libyaml reports what is missing at the end one line behind the last, and counts more kinds of line ends than
    /// editors do.
    private let lines: Int

    /// - Returns: Nothing when there is no memory.
    init?(_ input: UnsafeBufferPointer<UInt8>) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            return nil
        }
        self.parser = parser
        self.input = input
        // Wrapping, so that the compiler counts many bytes at a time.
        let newlines = input.reduce(0) { $0 &+ ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        self.lines = max(1, input.last == UInt8(ascii: "\n") ? newlines : newlines + 1)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(self.parser)
        self.parser.deallocate()
    }

    func next() throws(YAMLProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(self.parser, &event) == 1 else { throw self.problem() }
        defer { yaml_event_delete(&event) }
        let position = self.position(event.start_mark)
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT:
            return .alias(name: Self.text(event.data.alias.anchor) ?? "", position)
        case YAML_SCALAR_EVENT:
            let data = event.data.scalar
            let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
            let scalar = YAMLScalar(
                text: String(decoding: bytes, as: UTF8.self),
                isPlain: data.style == YAML_PLAIN_SCALAR_STYLE
            )
            return .scalar(scalar, Self.properties(anchor: data.anchor, tag: data.tag), position)
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            return .sequenceStart(Self.properties(anchor: data.anchor, tag: data.tag), position)
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            return .mappingStart(Self.properties(anchor: data.anchor, tag: data.tag), position)
        default: return .streamEnd
        }
    }

    private static func properties(
        anchor: UnsafeMutablePointer<UInt8>?,
        tag: UnsafeMutablePointer<UInt8>?
    ) -> YAMLEvent.Properties {
        YAMLEvent.Properties(anchor: Self.text(anchor), tag: Self.text(tag))
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func problem() -> YAMLProblem {
        let state = self.parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "out of memory"
        if state.error == YAML_READER_ERROR {
            return YAMLProblem(
                position: TextPosition(of: state.problem_offset, in: self.input),
                message: "not readable as YAML: \(problem): save the file as plain UTF-8 text"
            )
        }
        let hint =
            problem.contains("cannot start any token")
            ? "YAML indents with spaces, never tabs, and a text that starts with one of %@`&*!|>{}[] needs quotes"
            : "check the indentation, the colons and the quotes there and in the lines above"
        var context = ""
        if let text = state.context.map({ String(cString: $0) }), state.context_mark.line < state.problem_mark.line,
            state.context_mark.line < self.lines
        {
            context = ", \(text) that starts in line \(state.context_mark.line + 1)"
        }
        return YAMLProblem(
            position: self.position(state.problem_mark),
            message: "not valid YAML: \(problem)\(context): \(hint)"
        )
    }

    private func position(_ mark: yaml_mark_t) -> TextPosition {
        guard Int(mark.line) < self.lines else { return TextPosition(line: self.lines, column: 1) }
        return TextPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
