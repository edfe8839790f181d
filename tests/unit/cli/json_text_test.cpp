#include "cli/json_text.hpp"

#include <catch2/catch.hpp>

using sbx::cli::JsonText;

TEST_CASE("arrays and objects, nested and empty") {
  JsonText json;
  json.begin_array();
  json.begin_object();
  json.member("name", "x");
  json.member("list", std::vector<std::string>{"a", "b"});
  json.member("size", std::uint64_t{5});
  json.end_object();
  json.end_array();
  CHECK(json.text() ==
        "[\n  {\n    \"name\": \"x\",\n    \"list\": [\"a\", \"b\"],\n    \"size\": 5\n  }\n]");
  JsonText empty;
  empty.begin_array();
  empty.end_array();
  CHECK(empty.text() == "[]");
}

TEST_CASE("quotes, controls and bytes that are no UTF-8 are made valid") {
  JsonText json;
  json.begin_object();
  json.member("k", "a\"b\\c\n\x01\xff\xc3\xa9\xed\xa0\x80");
  json.end_object();
  CHECK(json.text().find("a\\\"b\\\\c\\u000a\\u0001\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd") !=
        std::string::npos);
}
