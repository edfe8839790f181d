#include "base/json.hpp"

#include <catch2/catch.hpp>

using namespace sbx;

TEST_CASE("strict JSON is read, anything else is an error") {
  CHECK(parse_json(R"({"a": [1, "x", null, true]})", "it").value()["a"].size() == 4);
  for (const char* bad : {"", "{", "{} x", "{'a':1}", "[1,]", "nan", "\xff", R"({"a":1,"a":2})"}) {
    CAPTURE(bad);
    CHECK(parse_json(bad, "it").error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("size, depth and number of values are bounded") {
  JsonLimits limits;
  limits.depth = 3;
  CHECK(parse_json("[[[]]]", "it", limits));
  CHECK(parse_json("[[[[]]]]", "it", limits).error().code == ErrorCode::kLimit);
  CHECK(parse_json(R"(["[[[[[["])", "it", limits));
  limits.values = 10;
  CHECK(parse_json("[1,2,3,4,5,6,7,8,9,10,11]", "it", limits).error().code == ErrorCode::kLimit);
  limits.bytes = 4;
  CHECK(parse_json("[1,2]", "it", limits).error().code == ErrorCode::kLimit);
  CHECK(parse_json(std::string(100000, '['), "it").error().code == ErrorCode::kLimit);
}

TEST_CASE("members have the type asked for or are absent") {
  const Json json =
      parse_json(R"({"s":"x","i":5,"b":true,"a":["p"],"o":{},"n":null,"big":18446744073709551615})",
                 "it")
          .value();
  CHECK(find_string(json, "s").value() == "x");
  CHECK_FALSE(find_string(json, "absent").value());
  CHECK_FALSE(find_string(json, "n").value());
  CHECK_FALSE(find_string(json, "i"));
  CHECK(find_integer(json, "i").value() == 5);
  CHECK_FALSE(find_integer(json, "big"));
  CHECK(find_bool(json, "b").value() == true);
  CHECK(find_strings(json, "a").value() == std::vector<std::string>{"p"});
  CHECK_FALSE(find_strings(json, "o"));
  CHECK(find_object(json, "o").value() != nullptr);
  CHECK(find_object(json, "absent").value() == nullptr);
  CHECK_FALSE(find_array(json, "s"));
}

TEST_CASE("what is written is valid, whatever the bytes") {
  CHECK(dump_json(Json("\xff")) == "\"\xef\xbf\xbd\"");
}
