#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "registry/url.hpp"

namespace sbx::registry {

/// Time and size limits of one exchange. Tests make them small; users have no reason to.
struct HttpLimits {
  std::chrono::milliseconds connect{30'000};
  std::chrono::milliseconds headers{
      60'000};  // from the request's last byte to the response's first line
  std::chrono::milliseconds low_speed{30'000};  // a window of waiting ...
  std::uint64_t low_speed_bytes = 1024;  // ... in which fewer bytes a second than this is too slow
  std::size_t header_bytes = std::size_t{64} << 10U;
  std::size_t header_lines = 100;
  std::size_t buffer = std::size_t{512}
                       << 10U;  // of a body nobody reads yet; one piece of 256 KiB may come on top
};

/// PEM texts; the paths are the Endpoint's.
struct TlsMaterial {
  std::string authorities;  // all of them; empty: the system's
  std::string certificate;
  std::string key;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The bytes of a request's body from `offset` on: at least one while there are some. May be asked for a part again.
using BodyReader =
    std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::byte> data)>;

struct Request {
  std::string method = "GET";
  Url url;
  HeaderList headers;         // but Authorization
  std::string authorization;  // the whole value, a secret; empty: none
  BodyReader body;            // none: no body
  std::uint64_t body_offset = 0;
  std::uint64_t body_size = 0;
  bool verify = true;  // of the server's certificate
  std::shared_ptr<const TlsMaterial> tls;
  std::optional<std::chrono::milliseconds> headers_within;  // instead of HttpLimits::headers
};

/// Why an exchange failed, for whoever decides whether to try again.
enum class Failure {
  kNone,
  kNoConnection,  // name not found, refused, unreachable, timed out
  kBroken,        // cut, or too slow, while it went on
  kNoTls,         // something answered that does not speak TLS, or hung up on it
  kCertificate,   // the server is not who it should be
  kFinal          // a limit, a refusal, our own fault: the same again would fail the same
};

class HttpSession;

/// What came back: status and headers at once, the body as it is asked for.
class Response {
 public:
  ~Response();
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;
  Response(Response&&) = delete;
  Response& operator=(Response&&) = delete;

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const Url& url() const { return url_; }
  /// The first header of this name (given in lower case); empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// All of that name, in order.
  [[nodiscard]] std::vector<std::string_view> all_headers(std::string_view name) const;
  /// Content-Length; absent if it is not given or no number.
  [[nodiscard]] std::optional<std::uint64_t> length() const;

  /// Another exchange was started meanwhile: this one's body is gone.
  [[nodiscard]] bool superseded() const;
  /// At least one byte; 0 at the end of the body. kCorrupt and kSystem say why the body ends too early.
  Result<std::size_t> read(std::span<std::byte> data);
  /// The whole body; kLimit if it is longer than `max`.
  Result<std::string> read_all(std::size_t max);
  /// Reads and forgets a short rest, so that the connection can be used again.
  void drain();

 private:
  friend class HttpSession;
  Response(HttpSession& session, std::uint64_t exchange, Url url)
      : session_(session), exchange_(exchange), url_(std::move(url)) {}

  HttpSession& session_;
  std::uint64_t exchange_;
  Url url_;
  int status_ = 0;
  HeaderList headers_;
};

/// The connections of one thread. Not thread-safe; several sessions in several threads are. One exchange at a time:
/// starting another breaks off the one before, whose Response then fails to read.
class HttpSession {
 public:
  /// `stop` is asked at least every 200 ms while waiting; true ends the exchange (kBusy, "interrupted").
  HttpSession(HttpLimits limits, std::function<bool()> stop);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;
  HttpSession(HttpSession&&) = delete;
  HttpSession& operator=(HttpSession&&) = delete;

  /// Sends the request and waits for the headers of the answer, whatever its status. Redirects are not followed here.
  /// The response must not outlive the session.
  Result<std::unique_ptr<Response>> start(const Request& request);

  /// Of the last start() or read().
  [[nodiscard]] Failure failure() const;

 private:
  friend class Response;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Initialises libcurl and the TLS library, which read files then. Before a process confines itself; harmless if called
/// again. Thread-safe.
void prepare_http();

/// Files and directories that name resolution and TLS read after prepare_http(), as far as they exist: for a Landlock
/// rule set, to read. See README.md.
std::vector<std::string> files_needed();

}  // namespace sbx::registry
