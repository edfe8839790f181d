#include "cli/format_template.hpp"

#include <catch2/catch.hpp>

using sbx::Failure;
using sbx::Outcome;
using sbx::cli::FormatTemplate;

namespace {

std::string render(const std::string& text) {
  const auto parsed = FormatTemplate::parse(text);
  REQUIRE(parsed);
  const auto out = parsed.value().render([](const std::string& field, bool json) {
    return field == "none" ? Outcome<std::string>(Failure{125, "no such field"})
                           : Outcome<std::string>((json ? "J:" : "T:") + field);
  });
  return out ? out.value() : out.failure().message;
}

}  // namespace

TEST_CASE("text and fields") {
  CHECK(render("plain {text} {{.A}}") == "plain {text} T:A");
  CHECK(render("{{.ID}}") == "T:ID");
  CHECK(render("a {{ .ID }}\\t{{.Config.Env}}\\n!") == "a T:ID\tT:Config.Env\n!");
  CHECK(render("{{json .}} {{json .Labels}}") == "J: J:Labels");
  CHECK(render("{{.none}}") == "no such field");
}

TEST_CASE("a table is known by its first word") {
  CHECK(FormatTemplate::parse("table {{.A}}\\t{{.B}}").value().is_table());
  CHECK(render("table {{.A}}\\t{{.B}}") == "T:A\tT:B");
  CHECK_FALSE(FormatTemplate::parse("tables {{.A}}").value().is_table());
}

TEST_CASE("what we do not know is refused, not printed") {
  for (const char* text :
       {"", "jsno", "table", "{{.ID", "{{ID}}", "{{.}}", "{{range .A}}{{end}}", "{{if .A}}",
        "{{.A | upper}}", "{{index .A 0}}", "{{.A..B}}", "{{json A}}", "{{}}", "{{\"text\"}}"}) {
    INFO(text);
    CHECK_FALSE(FormatTemplate::parse(text));
  }
}
