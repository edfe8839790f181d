#include "registry/http.hpp"

// Theory of operation: curl pushes a body into a callback; we want to pull it. So the transfer lives in a multi handle
// that runs only while somebody waits in start() or read(). The callback fills the reader's own span first and a buffer
// with what is left over; when the buffer is full it pauses the transfer, and TCP's (or HTTP/2's) window stops the server.
//
// Speed is measured by us and not by CURLOPT_LOW_SPEED_*: curl's clock goes on while nobody reads, so that a slow disk
// would look like a slow server.

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "registry/curl_error.hpp"
#include "registry/ranges.hpp"
#include "sys/xdg.hpp"

namespace sbx::registry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kPieceBytes =
    256L << 10U;  // what curl takes from a socket at once: fewer calls at 1 GB/s
constexpr int kUnsentBytes = 256 << 10;
constexpr int kPollMilliseconds = 200;  // how late `stop` may be seen
constexpr std::size_t kDrainBytes = std::size_t{64} << 10U;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
  const std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  (void)list.release();
  list.reset(longer);
}

}  // namespace

struct HttpSession::Impl {
  Impl(HttpLimits the_limits, std::function<bool()> the_stop)
      : limits(the_limits),
        stop(std::move(the_stop)),
        multi(curl_multi_init()),
        easy(curl_easy_init()) {
    SBX_ASSERT(multi != nullptr && easy != nullptr);
  }
  ~Impl() {
    end();
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  void begin(const Request& request);
  void end();
  void set_up(const Request& request);
  void set_method(const Request& request);
  void set_tls(const Request& request);
  /// Lets curl work, and waits for the network if it did nothing. Fails when the transfer has.
  Result<void> step();
  Result<void> check_time();
  Result<std::size_t> read(std::span<std::byte> data);
  Unexpected<Error> broken(Failure kind, Error error);
  Error transfer_error(CURLcode code);

  // Trampolines: C calls us, nothing may be thrown (bad_alloc terminates).
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
    return static_cast<Impl*>(self)->take_header({data, size * count});
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
    return static_cast<Impl*>(self)->take_body(std::as_bytes(std::span(data, size * count)));
  }
  static std::size_t on_upload(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
    return static_cast<Impl*>(self)->give_body(
        std::as_writable_bytes(std::span(data, size * count)));
  }
  static int on_seek(void* self, curl_off_t offset, int origin) noexcept {
    return static_cast<Impl*>(self)->seek_body(offset, origin);
  }

  static int on_socket(void*, curl_socket_t socket, curlsocktype) noexcept {
    // What the kernel has taken but not sent looks like progress to us, and 4 MB of it like a stop on a slow line.
    (void)::setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
    return CURL_SOCKOPT_OK;
  }

  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::span<const std::byte> data);
  std::size_t give_body(std::span<std::byte> data);
  int seek_body(std::int64_t offset, int origin);
  std::size_t take_from_buffer(std::span<std::byte> data);

  HttpLimits limits;
  std::function<bool()> stop;
  CURLM* multi;
  CURL* easy;
  std::array<char, CURL_ERROR_SIZE> words{};

  // Of the exchange that is going on.
  std::uint64_t exchange = 0;
  bool active = false;
  bool done = false;
  bool headers_done = false;
  bool paused = false;
  Failure failure = Failure::kNone;
  std::optional<Error> own_error;  // what a callback found wrong
  std::string subject;             // for errors: method and address without its query
  int status = 0;
  HeaderList headers;
  std::size_t header_bytes = 0;
  std::size_t header_lines = 0;
  List list;
  BodyReader body;
  std::uint64_t body_at = 0;
  std::uint64_t body_begin = 0;
  std::uint64_t body_end = 0;
  std::chrono::milliseconds headers_within{0};
  std::chrono::milliseconds waited_for_headers{0};
  std::chrono::milliseconds window{0};
  std::uint64_t window_bytes = 0;
  bool connected = false;
  std::span<std::byte> target;  // the reader's, while it waits
  std::size_t target_filled = 0;
  std::vector<std::byte> buffer;
  std::size_t buffer_at = 0;
};

std::size_t HttpSession::Impl::take_header(std::string_view line) {
  header_bytes += line.size();
  window_bytes += line.size();
  connected = true;
  if (header_bytes > limits.header_bytes || ++header_lines > limits.header_lines) {
    own_error = Error::make(ErrorCode::kLimit, "talk to the registry", subject,
                            fmt::format("it sends more than {} KiB or {} lines of headers",
                                        limits.header_bytes >> 10U, limits.header_lines));
    return 0;
  }
  if (headers_done) {
    return line.size();  // a trailer; nothing of interest may stand there
  }
  if (line.starts_with("HTTP/")) {  // again after each interim response
    headers.clear();
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    status = static_cast<int>(code);
    return line.size();
  }
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    headers_done = status >= 200;
    return line.size();
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    std::string name(text.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    headers.emplace_back(std::move(name), trimmed(text.substr(colon + 1)));
  }
  return line.size();
}

std::size_t HttpSession::Impl::take_body(std::span<const std::byte> data) {
  if (buffer.size() - buffer_at >= limits.buffer) {
    paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  window_bytes += data.size();
  const std::size_t all = data.size();
  const std::size_t direct = std::min(target.size() - target_filled, data.size());
  if (direct != 0 && buffer.size() == buffer_at) {
    std::memcpy(target.data() + target_filled, data.data(), direct);
    target_filled += direct;
    data = data.subspan(direct);
  }
  buffer.insert(buffer.end(), data.begin(), data.end());
  return all;
}

std::size_t HttpSession::Impl::give_body(std::span<std::byte> data) {
  if (!body || body_at >= body_end) {
    return 0;
  }
  const std::uint64_t left = body_end - body_at;
  Result<std::size_t> got = body(
      body_at, data.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, data.size()))));
  if (!got) {
    own_error = std::move(got).error();
    return CURL_READFUNC_ABORT;
  }
  if (*got == 0) {
    own_error =
        Error::make(ErrorCode::kCorrupt, "send", subject, "what is to be sent ends too early");
    return CURL_READFUNC_ABORT;
  }
  body_at += *got;
  window_bytes += *got;
  return *got;
}

/// curl sends a body again from its beginning when a connection of its pool turns out to be dead.
int HttpSession::Impl::seek_body(std::int64_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) {
    return CURL_SEEKFUNC_FAIL;
  }
  body_at = body_begin + static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t HttpSession::Impl::take_from_buffer(std::span<std::byte> data) {
  const std::size_t count = std::min(data.size(), buffer.size() - buffer_at);
  std::memcpy(data.data(), buffer.data() + buffer_at, count);
  buffer_at += count;
  if (buffer_at == buffer.size()) {
    buffer.clear();
    buffer_at = 0;
  }
  return count;
}

void HttpSession::Impl::set_method(const Request& request) {
  if (request.body) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body_size));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kPieceBytes);
    append(list, "Expect:");  // we know that we may, when we send a body
  } else if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    append(list, "Content-Length: 0");
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void HttpSession::Impl::set_tls(const Request& request) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request.verify ? 2L : 0L);
  const auto blob = [&](CURLoption option, const std::string& text) {
    curl_blob data{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, option, &data);
  };
  if (request.tls && !request.tls->authorities.empty()) {
    blob(CURLOPT_CAINFO_BLOB, request.tls->authorities);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  } else if (const std::string bundle = authority_bundle(); !bundle.empty()) {
    // Without a directory: curl keeps what it parsed of a lone file (20 ms) for the next connection.
    curl_easy_setopt(easy, CURLOPT_CAINFO, bundle.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (request.tls && !request.tls->certificate.empty()) {
    const std::string& key = request.tls->key.empty() ? request.tls->certificate : request.tls->key;
    blob(CURLOPT_SSLCERT_BLOB, request.tls->certificate);
    blob(CURLOPT_SSLKEY_BLOB, key);
  }
}

void HttpSession::Impl::set_up(const Request& request) {
  curl_easy_reset(easy);  // keeps connections, names and TLS sessions
  words[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(easy, CURLOPT_URL, request.url.str().c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kPieceBytes);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sbx/" SBX_VERSION);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  set_tls(request);
  list.reset();
  for (const auto& [name, value] : request.headers) {
    append(list, fmt::format("{}: {}", name, value));
  }
  if (!request.authorization.empty()) {
    append(list, "Authorization: " + request.authorization);
  }
  set_method(request);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list.get());
}

void HttpSession::Impl::begin(const Request& request) {
  end();
  ++exchange;
  done = headers_done = paused = connected = false;
  failure = Failure::kNone;
  own_error.reset();
  subject = fmt::format("{} {}", request.method, request.url.shown());
  status = 0;
  headers.clear();
  header_bytes = header_lines = 0;
  body = request.body;
  body_begin = body_at = request.body_offset;
  body_end = request.body_offset + request.body_size;
  headers_within = request.headers_within.value_or(limits.headers);
  waited_for_headers = window = std::chrono::milliseconds(0);
  window_bytes = 0;
  target = {};
  target_filled = 0;
  buffer.clear();
  buffer_at = 0;
  set_up(request);
  active = curl_multi_add_handle(multi, easy) == CURLM_OK;
  SBX_ASSERT(active);
}

void HttpSession::Impl::end() {
  if (active) {
    curl_multi_remove_handle(multi, easy);  // an unfinished transfer's connection is closed
    active = false;
  }
  body = nullptr;
}

Unexpected<Error> HttpSession::Impl::broken(Failure kind, Error error) {
  failure = kind;
  end();
  return fail(std::move(error));
}

Error HttpSession::Impl::transfer_error(CURLcode code) {
  return describe_curl_error(code, words.data(), subject);
}

Result<void> HttpSession::Impl::check_time() {
  if (stop && stop()) {
    return broken(Failure::kFinal, Error::make(ErrorCode::kBusy, "finish", subject, "interrupted"));
  }
  if (connected && !headers_done && body_at >= body_end && waited_for_headers > headers_within) {
    return broken(Failure::kBroken, Error::make(ErrorCode::kSystem, "get an answer to", subject,
                                                fmt::format("nothing came within {} s",
                                                            headers_within.count() / 1000)));
  }
  if (window < limits.low_speed) {
    return {};
  }
  // Before the headers, silence has its own limit; a body, or headers that drip, must flow.
  const auto least =
      limits.low_speed_bytes * static_cast<std::uint64_t>(limits.low_speed.count()) / 1000;
  const bool silent = window_bytes == 0 && !headers_done && body_at >= body_end;
  if (connected && !silent && window_bytes < least) {
    return broken(Failure::kBroken, Error::make(ErrorCode::kSystem, "go on with", subject,
                                                fmt::format("fewer than {} bytes in {} s", least,
                                                            limits.low_speed.count() / 1000)));
  }
  window = std::chrono::milliseconds(0);
  window_bytes = 0;
  return {};
}

Result<void> HttpSession::Impl::step() {
  if (paused && buffer.size() - buffer_at < limits.buffer) {
    paused = false;
    curl_easy_pause(easy, CURLPAUSE_CONT);
  }
  int running = 0;
  const std::uint64_t before = window_bytes;
  const CURLMcode worked = curl_multi_perform(multi, &running);
  if (worked != CURLM_OK) {
    return broken(Failure::kFinal, Error::make(ErrorCode::kSystem, "talk to the registry", subject,
                                               curl_multi_strerror(worked)));
  }
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &queued)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    done = true;
    const CURLcode code = message->data.result;
    if (own_error) {
      return broken(Failure::kFinal, std::move(*own_error));
    }
    if (code != CURLE_OK) {
      return broken(classify_curl_error(code, words.data()), transfer_error(code));
    }
    end();
    return {};
  }
  if (window_bytes != before) {
    return check_time();
  }
  const Clock::time_point begin = Clock::now();
  curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  long connection_done = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &connection_done);
  connected = connected || connection_done > 0;
  window += time;
  if (connected && body_at >= body_end) {
    waited_for_headers += time;
  }
  return check_time();
}

Result<std::size_t> HttpSession::Impl::read(std::span<std::byte> data) {
  if (data.empty()) {
    return std::size_t{0};
  }
  if (buffer.size() != buffer_at) {
    return take_from_buffer(data);
  }
  target = data;
  target_filled = 0;
  while (!done && target_filled == 0) {
    Result<void> went = step();
    if (!went) {
      target = {};
      // What came before the break was read by nobody; the error wins only once it is gone.
      if (target_filled == 0) {
        return fail(std::move(went).error());
      }
      own_error = std::move(went).error();
      return std::exchange(target_filled, 0);
    }
  }
  target = {};
  return std::exchange(target_filled, 0);
}

HttpSession::HttpSession(HttpLimits limits, std::function<bool()> stop) {
  prepare_http();
  impl_ = std::make_unique<Impl>(limits, std::move(stop));
}
HttpSession::~HttpSession() = default;

Failure HttpSession::failure() const { return impl_->failure; }

Result<std::unique_ptr<Response>> HttpSession::start(const Request& request) {
  Impl& impl = *impl_;
  impl.begin(request);
  while (!impl.headers_done && !impl.done) {
    Result<void> went = impl.step();
    if (!went) {
      if (!impl.headers_done || impl.failure != Failure::kBroken) {
        return fail(std::move(went).error());
      }
      impl.own_error =
          std::move(went).error();  // cut behind the headers: for the reader, after what came
    }
  }
  if (!impl.headers_done) {
    return impl.broken(Failure::kBroken,
                       Error::make(ErrorCode::kCorrupt, "understand the answer to", impl.subject,
                                   "it has no headers"));
  }
  std::unique_ptr<Response> response(new Response(*this, impl.exchange, request.url));
  response->status_ = impl.status;
  response->headers_ = std::move(impl.headers);
  impl.headers.clear();
  return response;
}

Response::~Response() {
  HttpSession::Impl& impl = *session_.impl_;
  if (impl.exchange == exchange_) {
    impl.end();
  }
}

std::string_view Response::header(std::string_view name) const {
  const auto found = std::find_if(headers_.begin(), headers_.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == headers_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string_view> Response::all_headers(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : headers_) {
    if (key == name) {
      found.emplace_back(value);
    }
  }
  return found;
}

std::optional<std::uint64_t> Response::length() const {
  return parse_count(header("content-length"));
}

bool Response::superseded() const { return session_.impl_->exchange != exchange_; }

Result<std::size_t> Response::read(std::span<std::byte> data) {
  HttpSession::Impl& impl = *session_.impl_;
  if (superseded()) {
    return fail(Error::make(ErrorCode::kSystem, "read from", url_.shown(),
                            "another request was made on this connection"));
  }
  if (impl.failure != Failure::kNone && impl.buffer.size() == impl.buffer_at) {
    return fail(impl.own_error
                    ? *impl.own_error
                    : Error::make(ErrorCode::kSystem, "read from", url_.shown(), "broken off"));
  }
  return impl.read(data);
}

Result<std::string> Response::read_all(std::size_t max) {
  if (length().value_or(0) > max) {
    return fail(Error::make(ErrorCode::kLimit, "read", url_.shown(),
                            fmt::format("{} bytes, more than the {} taken", *length(), max)));
  }
  std::string all;
  std::vector<std::byte> piece(std::min<std::size_t>(max + 1, std::size_t{64} << 10U));
  while (const std::size_t got = SBX_TRY(read(piece))) {
    if (all.size() + got > max) {
      return fail(Error::make(ErrorCode::kLimit, "read", url_.shown(),
                              fmt::format("more than {} bytes", max)));
    }
    all.append(reinterpret_cast<const char*>(piece.data()), got);
  }
  return all;
}

void Response::drain() {
  if (length().value_or(0) <= kDrainBytes) {
    (void)read_all(kDrainBytes);  // what fails here only costs a new connection
  }
}

}  // namespace sbx::registry
