#include "registry/url.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

namespace {
std::string resolved(const char* base, const char* relative) {
  const auto url = Url::parse(base).value().resolve(relative);
  return url ? url->str() : "refused: " + url.error().reason;
}
}  // namespace

TEST_CASE("an address taken apart and put together") {
  const Url url = Url::parse("HTTPS://Registry.Example.org/v2/x?a=b&c").value();
  CHECK(url.tls);
  CHECK(url.host == "registry.example.org");
  CHECK(url.port == 443);
  CHECK(url.target == "/v2/x?a=b&c");
  CHECK(url.str() == "https://registry.example.org/v2/x?a=b&c");
  CHECK(url.shown() == "https://registry.example.org/v2/x");
  CHECK(Url::parse("http://[::1]:5000").value().str() == "http://[::1]:5000/");
  CHECK(Url::parse("http://a:80/b#fragment").value().str() == "http://a/b");
}

TEST_CASE("addresses that are refused") {
  for (const char* text :
       {"", "a", "/v2/", "ftp://a/", "file:///etc/passwd", "https://", "https://u:p@a/",
        "https://u@a/", "https://a b/", "https://a/ b", "https://a/\r\nX: y", "https://a:0x50/",
        "https://a:99999/", "https://a:0000/", "gopher://a/", "https://a\tb/"}) {
    CAPTURE(text);
    CHECK(!Url::parse(text));
  }
  CHECK(!Url::parse("https://a/" + std::string(9000, 'a')));
}

TEST_CASE("a refusal repeats neither password nor query") {
  for (const char* text :
       {"https://user:hunter2@a/", "ftp://a/?sig=hunter2", "https://a/ ?sig=hunter2"}) {
    const auto url = Url::parse(text);
    REQUIRE(!url);
    CHECK(url.error().message().find("hunter2") == std::string::npos);
  }
}

TEST_CASE("what a Location means") {
  CHECK(resolved("https://a/v2/x", "/y?z=1") == "https://a/y?z=1");
  CHECK(resolved("https://a/v2/x", "y") == "https://a/v2/y");
  CHECK(resolved("https://a/v2/x", "//b/y") == "https://b/y");
  CHECK(resolved("https://a/v2/x", "http://b:81/y") == "http://b:81/y");
  CHECK(resolved("https://a/v2/x", "../../../y") == "https://a/y");
  CHECK(resolved("https://a/", "file:///etc/passwd").starts_with("refused"));
  CHECK(resolved("https://a/", "https://u:p@a/").starts_with("refused"));
  CHECK(resolved("https://a/", "//u:p@b/").starts_with("refused"));
}

TEST_CASE("credentials do not cross scheme, host or port") {
  const Url base = Url::parse("https://a/").value();
  CHECK(base.same_origin(Url::parse("https://A:443/x").value()));
  CHECK(!base.same_origin(Url::parse("http://a/").value()));
  CHECK(!base.same_origin(Url::parse("http://a:443/").value()));
  CHECK(!base.same_origin(Url::parse("https://a:444/").value()));
  CHECK(!base.same_origin(Url::parse("https://a.b/").value()));
}

TEST_CASE("query parameters are encoded") {
  const Url url = Url::parse("https://a/t").value();
  CHECK(url.with_query("s", "repository:a/b:pull").with_query("x", "&=é").target ==
        "/t?s=repository%3Aa%2Fb%3Apull&x=%26%3D%C3%A9");
  CHECK(Url::parse("https://a/t?x=1").value().with_query("y", "2").target == "/t?x=1&y=2");
}
