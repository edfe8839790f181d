#include "base/sha256.hpp"

#include <catch2/catch.hpp>
#include <string_view>

using sbx::Sha256;

namespace {

void feed(Sha256& hash, std::string_view text) {
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace

TEST_CASE("the examples of FIPS 180-4") {
  Sha256 hash;
  CHECK(hash.finish_hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  feed(hash, "abc");
  CHECK(hash.finish_hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("pieces hash as the whole, and a finished hash starts anew") {
  Sha256 hash;
  feed(hash, "a");
  feed(hash, "bc");
  CHECK(hash.finish_hex().starts_with("ba7816bf"));
  feed(hash, "abc");
  CHECK(hash.finish_hex().starts_with("ba7816bf"));
}
