#include "base/base64.hpp"

#include <catch2/catch.hpp>

using sbx::decode_base64;
using sbx::encode_base64;

TEST_CASE("base64 as RFC 4648 section 10 has it") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(encode_base64(plain) == coded);
    CHECK(decode_base64(coded, 100) == plain);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all.push_back(static_cast<char>(i));
  }
  CHECK(decode_base64(encode_base64(all), 256) == all);
}

TEST_CASE("what is no base64, or too much of it, is refused") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8=\n",
                          "====", "Z===", "Zg==Zg==", "Zm9-", "Zm 9", "=Zm9"}) {
    CHECK_FALSE(decode_base64(bad, 100));
  }
  CHECK(decode_base64("Zm9v", 3));
  CHECK_FALSE(decode_base64("Zm9v", 2));
}
