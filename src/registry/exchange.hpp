#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "registry/endpoint.hpp"
#include "registry/http.hpp"
#include "registry/registry_error.hpp"
#include "registry/retry.hpp"
#include "registry/token.hpp"

namespace sbx::registry {

struct ClientOptions {
  HttpLimits limits;
  RetryPolicy retry;
  /// Asked while waiting; true: end with kBusy.
  std::function<bool()> stop;
  /// Instead of sleeping, for tests; false: stop.
  std::function<bool(std::chrono::milliseconds)> sleep;
  /// Told of each answer: method, address without its query, status. Never a credential.
  std::function<void(std::string_view)> log;
  /// Of all clients of one transfer, so that a token is asked for once; made if absent.
  std::shared_ptr<HostMemory> memory;
};

/// Requests to one registry with everything around them: https or (if insecure) http, challenges and tokens, redirects
/// that lose the credentials, and trying again. One thread's.
class Exchange {
 public:
  Exchange(Endpoint endpoint, ClientOptions options, std::shared_ptr<const TlsMaterial> tls);

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const ClientOptions& options() const { return options_; }

  /// "https://HOST" + target. The first call finds out whether an insecure registry speaks TLS.
  Result<Url> address(std::string_view target);

  /// One attempt: authorizes, follows redirects, answers one challenge. Whatever status comes.
  Result<std::unique_ptr<Response>> send(Request request, std::string_view scope);

  /// send(), and a status other than those `wanted` is an error.
  Result<std::unique_ptr<Response>> expect(Request request, std::string_view scope,
                                           const Asked& asked, std::initializer_list<int> wanted);

  /// Calls `attempt` again while it fails by something that may pass.
  template <class T>
  Result<T> persist(const std::function<Result<T>()>& attempt) {
    for (int done = 1;; ++done) {
      again_.reset();
      Result<T> result = attempt();
      if (result || !may_try_again(done)) {
        return result;
      }
      SBX_TRY(wait(done));
    }
  }

  /// After a body failed to be read: lets persist() try again if the connection was at fault.
  void note_failure();
  /// The same for a body that only looks complete.
  void note_broken() { again_ = std::chrono::milliseconds(0); }
  /// Whether the last failure may pass; for those who count their tries themselves.
  [[nodiscard]] bool may_try_again(int done) const {
    return again_.has_value() && done < options_.retry.tries;
  }
  /// Sleeps before try `done` + 1. kBusy if stopped.
  Result<void> wait(int done);
  void forget_failure() { again_.reset(); }

 private:
  Result<std::unique_ptr<Response>> follow(Request request);
  Result<std::unique_ptr<Response>> hop(const Request& request);
  Result<bool> find_scheme();
  Result<std::string> authorize(const Response& refused, std::string_view scope);
  Result<std::string> fetch_token(const Challenge& challenge, std::string_view scope,
                                  const std::string& key);

  Endpoint endpoint_;
  ClientOptions options_;
  std::shared_ptr<const TlsMaterial> tls_;
  HttpSession session_;
  std::optional<Url> base_;
  bool answered_ = false;  // the registry has been there before: a refused connection may pass
  std::optional<std::chrono::milliseconds> again_;  // may pass; wait at least so long
};

}  // namespace sbx::registry
