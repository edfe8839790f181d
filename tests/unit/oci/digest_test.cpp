#include "oci/digest.hpp"

#include <catch2/catch.hpp>

#include "oci/chain_id.hpp"

using sbx::ErrorCode;
using sbx::oci::ChainId;
using sbx::oci::DiffId;
using sbx::oci::Digest;

namespace {

const std::string kHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace

TEST_CASE("a digest is sha256 and 64 lower-case digits, nothing else") {
  CHECK(Digest::parse("sha256:" + kHex)->str() == "sha256:" + kHex);
  CHECK(Digest::from_hex(kHex)->hex() == kHex);
  for (const std::string& bad :
       {std::string(), kHex, "sha256:" + kHex.substr(1), "sha256:" + kHex + "0",
        "sha256:E" + kHex.substr(1), "SHA256:" + kHex, "sha256:../../" + kHex.substr(6),
        "sha256:g" + kHex.substr(1)}) {
    const auto digest = Digest::parse(bad);
    REQUIRE_FALSE(digest);
    CHECK(digest.error().code == ErrorCode::kCorrupt);
  }
  CHECK(Digest::parse("sha512:" + kHex + kHex).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("the chain id is the specification's") {
  const DiffId a = *DiffId::parse("sha256:" + kHex);
  CHECK(sbx::oci::chain_id(std::vector{a}) == ChainId(a.bytes()));
  // printf 'sha256:e3b0... sha256:e3b0...' | sha256sum
  CHECK(sbx::oci::chain_id(std::vector{a, a}).hex() ==
        "de9d9016b852e46e9f3973e20d3a6d17e120f7144931d50cd6e2a8ad53e81960");
}
