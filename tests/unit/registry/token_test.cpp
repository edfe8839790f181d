#include "registry/token.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;
using namespace std::chrono_literals;

namespace {
const Url kRegistry = Url::parse("https://registry.example.org/").value();
const Challenge kChallenge{"bearer", "https://auth.example.org/token", "a service", ""};

Endpoint endpoint(const char* realm_user = nullptr) {
  Endpoint e{.host = "registry.example.org", .repository = "a/b"};
  if (realm_user != nullptr) {
    e.credentials = {realm_user, "hunter2", ""};
  }
  return e;
}

std::string body_of(const Request& request) {
  std::string text(request.body_size, '\0');
  CHECK(request.body(0, std::as_writable_bytes(std::span(text))).value() == text.size());
  return text;
}
}  // namespace

TEST_CASE("tokens as servers give them") {
  const Token plain = parse_token(R"({"token":"abc","expires_in":300})", "s").value();
  CHECK(plain.value == "abc");
  CHECK(plain.lifetime == 300s);
  CHECK(parse_token(R"({"access_token":"x"})", "s").value().value == "x");
  CHECK(parse_token(R"({"token":"","access_token":"x"})", "s").value().value == "x");
  CHECK(parse_token(R"({"token":"x"})", "s").value().lifetime == 60s);
  CHECK(parse_token(R"({"token":"x","expires_in":-5})", "s").value().lifetime == 0s);
  CHECK(parse_token(R"({"token":"x","expires_in":9000000000000})", "s").value().lifetime == 24h);
}

TEST_CASE("tokens that are none") {
  for (const char* json :
       {"", "[]", "{}", R"({"token":1})", R"({"token":"a b"})", R"({"token":"a\r\nX: y"})",
        R"({"token":"é"})", R"({"token":"x","expires_in":"soon"})"}) {
    CAPTURE(json);
    CHECK(!parse_token(json, "s"));
  }
  const auto secret = parse_token(R"({"token":"hunter 2"})", "s");
  REQUIRE(!secret);
  CHECK(secret.error().message().find("hunter") == std::string::npos);
  CHECK(!parse_token(R"({"token":")" + std::string(70'000, 'a') + "\"}", "s"));
}

TEST_CASE("a token is asked for with Basic credentials") {
  const Request request = token_request(endpoint("someone"), kRegistry, kChallenge,
                                        {"repository:a/b:pull", "repository:c:pull"})
                              .value();
  CHECK(request.method == "GET");
  CHECK(request.url.str() ==
        "https://auth.example.org/"
        "token?service=a%20service&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull"
        "&client_id=sbx&account=someone");
  CHECK(request.authorization == "Basic c29tZW9uZTpodW50ZXIy");
  CHECK(token_request(endpoint(), kRegistry, kChallenge, {}).value().authorization.empty());
}

TEST_CASE("an identity token goes into the body, not into the address") {
  Endpoint e = endpoint("someone");
  e.credentials->identity_token = "hunter3&";
  const Request request = token_request(e, kRegistry, kChallenge, {"x", "y"}).value();
  CHECK(request.method == "POST");
  CHECK(request.authorization.empty());
  CHECK(request.url.str() == "https://auth.example.org/token");
  CHECK(body_of(request) ==
        "grant_type=refresh_token&client_id=sbx&service=a%20service&scope=x%20y&refresh_token="
        "hunter3%26");
}

TEST_CASE("no credentials to a token server by plain http") {
  const Challenge plain{"bearer", "http://auth.example.org/token", "", ""};
  const auto refused = token_request(endpoint("someone"), kRegistry, plain, {});
  REQUIRE(!refused);
  CHECK(refused.error().code == sbx::ErrorCode::kDenied);
  CHECK(refused.error().message().find("hunter2") == std::string::npos);
  Endpoint insecure = endpoint("someone");
  insecure.insecure = true;
  CHECK(token_request(insecure, kRegistry, plain, {}));
  CHECK(!token_request(endpoint("someone"), kRegistry, {"bearer", "https://u:p@a/", "", ""}, {}));
  CHECK(!token_request(endpoint("someone"), kRegistry, {"bearer", "/token", "", ""}, {}));
}

TEST_CASE("authorizations are remembered for as long as they live") {
  HostMemory memory;
  memory.remember_authorization("a", "Bearer 1", 60s);
  memory.remember_authorization("b", "Bearer 2", 5s);  // as good as over
  CHECK(memory.authorization("a") == "Bearer 1");
  CHECK(memory.authorization("b").empty());
  memory.forget_authorization("a", "another thread's older one");
  CHECK(memory.authorization("a") == "Bearer 1");
  memory.forget_authorization("a", "Bearer 1");
  CHECK(memory.authorization("a").empty());
  CHECK(!memory.speaks_tls("h"));
  memory.remember_tls("h", false);
  CHECK(memory.speaks_tls("h") == false);
}

TEST_CASE("an authorization belongs to host, credentials and scope") {
  const std::string key = authorization_key(endpoint("a"), "s");
  CHECK(key == authorization_key(endpoint("a"), "s"));
  CHECK(key != authorization_key(endpoint("b"), "s"));
  CHECK(key != authorization_key(endpoint(), "s"));
  CHECK(key != authorization_key(endpoint("a"), "t"));
  Endpoint other = endpoint("a");
  other.host = "other.example.org";
  CHECK(key != authorization_key(other, "s"));
  CHECK(key.find("hunter2") == std::string::npos);
}
