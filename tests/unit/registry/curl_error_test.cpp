#include "registry/curl_error.hpp"

#include <curl/curl.h>

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("what may pass is told from what may not") {
  CHECK(classify_curl_error(CURLE_RECV_ERROR, "") == Failure::kBroken);
  CHECK(classify_curl_error(CURLE_PARTIAL_FILE, "") == Failure::kBroken);
  CHECK(classify_curl_error(CURLE_COULDNT_CONNECT, "") == Failure::kNoConnection);
  CHECK(classify_curl_error(CURLE_PEER_FAILED_VERIFICATION, "") == Failure::kCertificate);
  CHECK(classify_curl_error(CURLE_SSL_CONNECT_ERROR,
                            "error:0A00010B:SSL routines::wrong version number") ==
        Failure::kNoTls);
  CHECK(classify_curl_error(CURLE_SSL_CONNECT_ERROR, "connection reset by peer") ==
        Failure::kBroken);
  CHECK(classify_curl_error(CURLE_UNSUPPORTED_PROTOCOL, "") == Failure::kFinal);
  CHECK(classify_curl_error(CURLE_RECV_ERROR, "CONNECT tunnel failed, response 403") ==
        Failure::kNoConnection);
}

TEST_CASE("errors say what to do") {
  CHECK(describe_curl_error(CURLE_PEER_FAILED_VERIFICATION, "", "GET https://a/")
            .hint.find("certs.d") != std::string::npos);
  CHECK(describe_curl_error(CURLE_COULDNT_RESOLVE_HOST, "", "GET https://a/")
            .hint.find("resolv.conf") != std::string::npos);
  const sbx::Error error =
      describe_curl_error(CURLE_COULDNT_CONNECT, "no\x1bway", "GET https://a/");
  CHECK(error.message().find("no\\x1bway") != std::string::npos);
}

TEST_CASE("files that are there are named") {
  for (const std::string& path : files_needed()) {
    CHECK(path.starts_with('/'));
  }
  CHECK(!files_needed().empty());
}
