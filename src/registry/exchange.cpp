#include "registry/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>

namespace sbx::registry {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10U;
constexpr std::size_t kMaxTokenBody = std::size_t{1} << 20U;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error redirect_error(const Url& from, std::string reason) {
  return Error::make(ErrorCode::kDenied, "follow the redirect of", from.shown(), std::move(reason));
}

/// A client's certificate proves who we are, as a password does: other hosts do not get it.
std::shared_ptr<const TlsMaterial> without_identity(const std::shared_ptr<const TlsMaterial>& tls) {
  if (!tls || tls->certificate.empty()) {
    return tls;
  }
  auto others = std::make_shared<TlsMaterial>();
  others->authorities = tls->authorities;
  return others;
}

/// What the next request is after a redirect; see RFC 9110 15.4.
Result<Request> redirected(const Request& request, const Response& response, bool insecure) {
  const std::string_view location = response.header("location");
  if (location.empty()) {
    return fail(redirect_error(request.url, "it does not say where to"));
  }
  Url next = SBX_TRY(request.url.resolve(location).context(
      fmt::format("following a redirect of {}", request.url.shown())));
  if (request.url.tls && !next.tls && !insecure) {
    return fail(redirect_error(
        request.url, fmt::format("it leads from https to plain http, to {}", next.shown())));
  }
  const int status = response.status();
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads && status != 307 && status != 308) {
    return fail(redirect_error(
        request.url, fmt::format("a {} cannot be redirected by {}", request.method, status)));
  }
  Request changed = request;
  if (!request.url.same_origin(next)) {
    changed.authorization.clear();
    changed.tls = without_identity(request.tls);
  }
  changed.url = std::move(next);
  return changed;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) {
      words.emplace_back(word);
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

}  // namespace

Exchange::Exchange(Endpoint endpoint, ClientOptions options, std::shared_ptr<const TlsMaterial> tls)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      tls_(std::move(tls)),
      session_(options_.limits, options_.stop) {
  if (!options_.memory) {
    options_.memory = std::make_shared<HostMemory>();
  }
}

void Exchange::note_failure() {
  const Failure failure = session_.failure();
  if (failure == Failure::kBroken || (failure == Failure::kNoConnection && answered_)) {
    again_ = std::chrono::milliseconds(0);
  }
}

Result<void> Exchange::wait(int done) {
  std::random_device random;
  const std::chrono::milliseconds time = wait_before_retry(
      options_.retry, done, random(), again_.value_or(std::chrono::milliseconds(0)));
  const bool slept = options_.sleep ? options_.sleep(time) : sleep_unless(options_.stop, time);
  if (!slept) {
    return fail(
        Error::make(ErrorCode::kBusy, "talk to the registry", endpoint_.host, "interrupted"));
  }
  return {};
}

Result<std::unique_ptr<Response>> Exchange::hop(const Request& request) {
  Result<std::unique_ptr<Response>> response = session_.start(request);
  if (!response) {
    note_failure();
    return response;
  }
  answered_ = true;
  if (options_.log) {
    options_.log(
        fmt::format("{} {}: {}", request.method, request.url.shown(), (*response)->status()));
  }
  return response;
}

/// For an insecure registry: https if anything answers by TLS, else http.
Result<bool> Exchange::find_scheme() {
  if (!endpoint_.insecure) {
    return true;
  }
  if (const std::optional<bool> known = options_.memory->speaks_tls(endpoint_.host)) {
    return *known;
  }
  Request request{.url = SBX_TRY(Url::parse(fmt::format("https://{}/v2/", endpoint_.host)))};
  request.verify = false;
  request.tls = tls_;
  Result<std::unique_ptr<Response>> by_tls = hop(request);
  if (!by_tls) {
    const Failure why = session_.failure();
    if (why != Failure::kNoTls && why != Failure::kNoConnection && why != Failure::kBroken) {
      return fail(std::move(by_tls).error());
    }
    request.url = SBX_TRY(Url::parse(fmt::format("http://{}/v2/", endpoint_.host)));
    (void)SBX_TRY(hop(request));
  }
  again_.reset();
  options_.memory->remember_tls(endpoint_.host, by_tls.has_value());
  return by_tls.has_value();
}

Result<Url> Exchange::address(std::string_view target) {
  if (!base_) {
    const bool tls = SBX_TRY(find_scheme());
    base_ = SBX_TRY(Url::parse(fmt::format("{}://{}/", tls ? "https" : "http", endpoint_.host)));
  }
  return base_->resolve(target);
}

Result<std::unique_ptr<Response>> Exchange::follow(Request request) {
  for (int count = 0; count <= kMaxRedirects; ++count) {
    std::unique_ptr<Response> response = SBX_TRY(hop(request));
    if (!is_redirect(response->status())) {
      return response;
    }
    Request next = SBX_TRY(redirected(request, *response, endpoint_.insecure));
    response->drain();
    response.reset();
    request = std::move(next);
  }
  return fail(redirect_error(request.url, fmt::format("more than {} redirects", kMaxRedirects)));
}

Result<std::unique_ptr<Response>> Exchange::send(Request request, std::string_view scope) {
  const Url base = SBX_TRY(address("/"));
  const bool ours = request.url.same_origin(base);
  if (base.tls && !request.url.tls && !endpoint_.insecure) {
    return fail(redirect_error(request.url, "the registry leads from https to plain http"));
  }
  request.verify = !endpoint_.insecure;
  request.tls = ours ? tls_ : without_identity(tls_);
  const std::string key = authorization_key(endpoint_, scope);
  if (ours) {
    request.authorization = options_.memory->authorization(key);
  }
  std::unique_ptr<Response> response = SBX_TRY(follow(request));
  if (response->status() != 401 || !response->url().same_origin(base)) {
    return response;
  }
  options_.memory->forget_authorization(key, request.authorization);
  Result<std::string> authorization = authorize(*response, scope);
  if (!authorization) {
    return fail(std::move(authorization).error());
  }
  if (authorization->empty()) {
    return response;  // it asks for nothing that we have
  }
  response.reset();
  request.authorization = std::move(authorization).value();
  return follow(request);
}

/// The Authorization that answers a 401; empty if there is none. Reads only the headers, so that the body can still
/// be shown.
Result<std::string> Exchange::authorize(const Response& refused, std::string_view scope) {
  std::vector<Challenge> challenges;
  for (const std::string_view header : refused.all_headers("www-authenticate")) {
    for (Challenge& each : parse_challenges(header)) {
      challenges.push_back(std::move(each));
    }
  }
  const Challenge* const chosen = choose_challenge(challenges);
  if (chosen == nullptr) {
    return std::string();
  }
  const std::string key = authorization_key(endpoint_, scope);
  if (chosen->scheme == "bearer") {
    return fetch_token(*chosen, scope, key);
  }
  if (!endpoint_.credentials || endpoint_.credentials->password.empty()) {
    return std::string();
  }
  std::string value = basic_authorization(*endpoint_.credentials);
  options_.memory->remember_authorization(key, value, std::chrono::hours(24));
  return value;
}

Result<std::string> Exchange::fetch_token(const Challenge& challenge, std::string_view scope,
                                          const std::string& key) {
  const std::vector<std::string> scopes = words_of(fmt::format("{} {}", scope, challenge.scope));
  const Url base = SBX_TRY(address("/"));
  Request request = SBX_TRY(token_request(endpoint_, base, challenge, scopes));
  const Asked asked{"get a token from", request.url.shown(), endpoint_.host};
  request.verify = !endpoint_.insecure;
  request.tls = request.url.same_origin(base) ? tls_ : without_identity(tls_);
  const std::unique_ptr<Response> response = SBX_TRY(follow(std::move(request)));
  if (response->status() != 200) {
    if (is_passing(response->status())) {
      again_ = std::chrono::milliseconds(0);
    }
    Result<std::string> body = response->read_all(kMaxErrorBody);
    return fail(refusal(asked, response->status(), body ? describe_error_body(*body) : ""));
  }
  Result<std::string> body = response->read_all(kMaxTokenBody);
  if (!body) {
    note_failure();
    return body;
  }
  Token token = SBX_TRY(parse_token(*body, asked.subject));
  std::string value = "Bearer " + token.value;
  options_.memory->remember_authorization(key, value, token.lifetime);
  return value;
}

Result<std::unique_ptr<Response>> Exchange::expect(Request request, std::string_view scope,
                                                   const Asked& asked,
                                                   std::initializer_list<int> wanted) {
  std::unique_ptr<Response> response =
      SBX_TRY(send(std::move(request), scope)
                  .context(fmt::format("trying to {} '{}'", asked.op, printable(asked.subject))));
  const int status = response->status();
  if (std::find(wanted.begin(), wanted.end(), status) != wanted.end()) {
    return response;
  }
  if (is_passing(status)) {
    const std::optional<std::chrono::seconds> asked_wait =
        parse_retry_after(response->header("retry-after"), std::time(nullptr));
    again_ = std::min<std::chrono::milliseconds>(asked_wait.value_or(std::chrono::seconds(0)),
                                                 options_.retry.longest_wait);
  }
  const Result<std::string> body = response->read_all(kMaxErrorBody);
  return fail(refusal(asked, status, body ? describe_error_body(*body) : ""));
}

}  // namespace sbx::registry
