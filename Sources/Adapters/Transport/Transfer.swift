import CCurl
import Glibc

/// One easy handle and what its callbacks gather. Lives on the client's thread.
final class Transfer {
    let job: TransferJob
    let easy: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?

    private var status = 0
    private var headers = HTTPHeaders()
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var file: FileSink?
    private var upload: MailUpload?
    /// What a mail server said last.
    private(set) var lastLine = ""
    /// Why a callback ended the transfer.
    private var failure: TransportError?

    private static let maxHeaderBytes = 256 << 10

    init(job: TransferJob) throws(TransportError) {
        guard let easy = curl_easy_init() else { throw Self.outOfMemory }
        self.job = job
        self.easy = easy
        self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        if let destination = job.file {
            self.file = FileSink(destination: destination, limit: job.request.maxResponseBytes)
        }
        self.upload = job.mail.map { MailUpload($0) }
        try self.configure()
    }

    deinit {
        curl_easy_cleanup(self.easy)
        curl_slist_free_all(self.headerList)
        self.errorText.deallocate()
    }

    static let outOfMemory = TransportError(
        code: .unreachable,
        message: "libcurl could not start a transfer; free memory or raise the limit on open files",
        recovery: .wait(.seconds(5))
    )

    static func id(of easy: UnsafeMutableRawPointer) -> UInt64? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_easy_getinfo_string(easy, CURLINFO_PRIVATE, &text) == CURLE_OK, let text else { return nil }
        return UInt64(UInt(bitPattern: text))
    }

    // MARK: - End

    func finish(_ code: CURLcode) {
        if let failure = self.failure {
            self.end(.failure(failure))
        } else if self.job.mail != nil, code == CURLE_OK {
            self.end(.success(Exchange(response: HTTPResponse(status: 250, body: Array(self.lastLine.utf8)))))
        } else if self.job.mail != nil, let refusal = self.refusal {
            self.end(.success(Exchange(response: refusal)))
        } else if code != CURLE_OK {
            let detail = String(cString: self.errorText)
            self.end(.failure(TransportError(code, detail: detail, request: self.job.request)))
        } else if let failure = self.file?.finish(status: self.status, headers: self.headers) {
            self.end(.failure(failure))
        } else {
            var location: UnsafeMutablePointer<CChar>?
            curl_easy_getinfo_string(self.easy, CURLINFO_REDIRECT_URL, &location)
            let response = HTTPResponse(status: self.status, headers: self.headers, body: self.body)
            self.end(.success(Exchange(response: response, redirect: location.map { String(cString: $0) })))
        }
    }

    func end(_ result: Result<Exchange, TransportError>) {
        self.file?.close()
        self.job.continuation.resume(returning: result)
    }

    // MARK: - Callbacks

    /// One line, with its end.
    fileprivate func receive(headerLine bytes: UnsafeRawBufferPointer) -> Bool {
        self.headerBytes += bytes.count
        guard self.headerBytes <= Self.maxHeaderBytes else {
            self.failure = self.tooLarge("header fields", Self.maxHeaderBytes)
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if self.job.mail != nil {
            // But for the farewell, which says nothing of the message.
            if !line.hasPrefix("221") { self.lastLine = Self.trimmed(line[...]) }
        } else if line.hasPrefix("HTTP/") {
            // A new block: the one before was 1xx.
            self.headers = HTTPHeaders()
            let words = line.split(separator: " ", maxSplits: 2)
            self.status = words.count > 1 ? Int(words[1].prefix { $0.isNumber }) ?? 0 : 0
        } else if let colon = line.firstIndex(of: ":") {
            self.headers.add(
                name: String(line[..<colon]),
                value: Self.trimmed(line[line.index(after: colon)...])
            )
        }
        return true
    }

    fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        if self.file != nil {
            self.failure = self.file?.write(
                bytes,
                status: self.status,
                headers: self.headers,
                total: self.contentLength
            )
            return self.failure == nil
        }
        let limit = self.job.request.maxResponseBytes
        guard self.body.count + bytes.count <= limit, (self.contentLength ?? 0) <= Int64(limit) else {
            self.failure = self.tooLarge("answer", limit)
            return false
        }
        self.body.append(contentsOf: bytes)
        return true
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        self.upload?.read(into: buffer) ?? 0
    }

    private var contentLength: Int64? {
        var length: curl_off_t = -1
        curl_easy_getinfo_large(self.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
        return length >= 0 ? Int64(length) : nil
    }

    private func tooLarge(_ what: String, _ limit: Int) -> TransportError {
        TransportError(
            code: .tooLarge,
            message: "the \(what) of \(WebAddress.redacted(self.job.request.url)) exceed\(what == "answer" ? "s" : "") "
                + "the limit of \(limit) bytes",
            recovery: .needsOperator
        )
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }

    // MARK: - Options

    private func configure() throws(TransportError) {
        let request = self.job.request
        self.set(CURLOPT_PRIVATE, pointer: UnsafeRawPointer(bitPattern: UInt(self.job.id)))
        self.set(CURLOPT_NOSIGNAL, 1)
        // A resolver that does not answer must not hold up the thread when its transfer ends.
        self.set(CURLOPT_QUICK_EXIT, 1)
        self.set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.timeout))
        self.set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        if let stall = request.stallTimeout {
            self.set(CURLOPT_LOW_SPEED_LIMIT, 1)
            self.set(CURLOPT_LOW_SPEED_TIME, max(1, (Self.milliseconds(stall) + 999) / 1000))
        }
        if let file = request.caFile {
            self.set(CURLOPT_CAINFO, file)
            self.set(CURLOPT_CAPATH, nil as String?)
        }
        if self.job.file != nil {
            self.set(CURLOPT_BUFFERSIZE, 256 << 10)
        }
        self.set(CURLOPT_ERRORBUFFER, pointer: UnsafeRawPointer(self.errorText))
        let context = UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
        self.set(CURLOPT_WRITEDATA, pointer: context)
        self.set(CURLOPT_HEADERDATA, pointer: context)
        curl_easy_setopt_function(self.easy, CURLOPT_WRITEFUNCTION, receiveBody)
        curl_easy_setopt_function(self.easy, CURLOPT_HEADERFUNCTION, receiveHeader)
        if let mail = self.job.mail {
            try self.configure(mail)
        } else {
            try self.configureHTTP(request)
            try self.configureContent(request)
        }
    }

    private func configureHTTP(_ request: HTTPRequest) throws(TransportError) {
        let address = try WebAddress(request.url)
        self.set(CURLOPT_URL, request.url)
        self.set(CURLOPT_PROTOCOLS_STR, "http,https")
        self.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        if request.isNeverRepeated {
            self.set(CURLOPT_FRESH_CONNECT, 1)
        }
        if let socket = request.unixSocket {
            self.set(CURLOPT_UNIX_SOCKET_PATH, socket)
        }
        if request.unixSocket != nil || address.isLoopback {
            // The environment's proxy is for the world outside.
            self.set(CURLOPT_PROXY, "")
        }
    }

    private func configureContent(_ request: HTTPRequest) throws(TransportError) {
        let isToken = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        }
        guard isToken(request.method) else { throw self.invalid("the method") }
        if let body = request.body {
            self.set(CURLOPT_POST, 1)
            curl_easy_setopt_large(self.easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            body.withUnsafeBytes { bytes in
                // An empty body has no address; libcurl wants one all the same.
                withUnsafeBytes(of: 0) {
                    self.set(CURLOPT_COPYPOSTFIELDS, pointer: bytes.baseAddress ?? $0.baseAddress)
                }
            }
        } else if request.method == "HEAD" {
            self.set(CURLOPT_NOBODY, 1)
        }
        if request.method != "HEAD" {
            self.set(CURLOPT_CUSTOMREQUEST, request.method)
        }
        var headers = request.headers
        if request.body != nil {
            // Neither libcurl's own type of forms, nor its wait for a 100 before a large body.
            if headers["Content-Type"] == nil { headers["Content-Type"] = "application/octet-stream" }
            self.append(header: "Expect:")
        }
        for field in headers.fields {
            guard
                isToken(field.name),
                !field.value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F })
            else { throw self.invalid("the header field \(isToken(field.name) ? field.name : "without a valid name")") }
            // "Name:" would remove the field; "Name;" sends it empty.
            self.append(header: field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        self.setHeaders(CURLOPT_HTTPHEADER)
    }

    /// Hands over what was appended.
    func setHeaders(_ option: CURLoption) {
        self.set(option, pointer: UnsafeRawPointer(self.headerList))
    }

    func append(header line: String) {
        // On failure the old list stands.
        self.headerList = curl_slist_append(self.headerList, line) ?? self.headerList
    }

    private func invalid(_ what: String) -> TransportError {
        TransportError(
            code: .invalidRequest,
            message: "\(what) of a request to \(WebAddress.redacted(self.job.request.url)) has forbidden characters; "
                + "correct it where it is configured",
            recovery: .needsOperator
        )
    }

    func set(_ option: CURLoption, _ value: Int) {
        curl_easy_setopt_long(self.easy, option, value)
    }

    func set(_ option: CURLoption, _ value: String?) {
        curl_easy_setopt_string(self.easy, option, value)
    }

    func set(_ option: CURLoption, pointer: UnsafeRawPointer?) {
        curl_easy_setopt_pointer(self.easy, option, pointer)
    }

    /// At least one, as zero would mean no limit to libcurl.
    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}

private func receiveBody(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
    // Any other number than the one given ends the transfer; an empty piece can't say so and is harmless.
    return transfer.receive(body: bytes) ? bytes.count : -1
}

private func receiveHeader(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
    return transfer.receive(headerLine: bytes) ? bytes.count : -1
}
