#include "registry/registry_error.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/json.hpp"
#include "registry/endpoint.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxErrors = 4;
constexpr std::size_t kMaxWords = 120;
constexpr std::size_t kMaxBody = std::size_t{64} << 10U;

std::string string_member(const Json& object, std::string_view key) {
  const Result<std::optional<std::string>> text = find_string(object, key);
  return text ? text->value_or("") : "";
}

std::string describe_one(const Json& error) {
  if (!error.is_object()) {
    return {};
  }
  const std::string code = printable(string_member(error, "code"), 40);
  const std::string message = printable(string_member(error, "message"), kMaxWords);
  return code.empty() || message.empty() ? code + message : fmt::format("{}: {}", code, message);
}

/// "details" is how Docker Hub's other services say it.
std::string describe_document(const Json& document) {
  const Result<const Json*> errors = find_array(document, "errors");
  if (!errors || *errors == nullptr) {
    const std::string message = string_member(document, "message");
    return printable(message.empty() ? string_member(document, "details") : message, kMaxWords);
  }
  std::string out;
  std::size_t count = 0;
  for (const Json& error : **errors) {
    const std::string one = describe_one(error);
    if (one.empty() || ++count > kMaxErrors) {
      continue;
    }
    out += (out.empty() ? "" : "; ") + one;
  }
  return out;
}

std::string_view status_words(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 17> kWords{
      {{400, "Bad Request"},
       {401, "Unauthorized"},
       {403, "Forbidden"},
       {404, "Not Found"},
       {405, "Method Not Allowed"},
       {406, "Not Acceptable"},
       {408, "Request Timeout"},
       {409, "Conflict"},
       {413, "Content Too Large"},
       {415, "Unsupported Type"},
       {416, "Range Not Satisfiable"},
       {429, "Too Many Requests"},
       {500, "Internal Error"},
       {502, "Bad Gateway"},
       {503, "Service Unavailable"},
       {504, "Gateway Timeout"},
       {507, "Insufficient Storage"}}};
  for (const auto& [code, words] : kWords) {
    if (code == status) {
      return words;
    }
  }
  return "";
}

ErrorCode code_for(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 405:
    case 406:
    case 415:
      return ErrorCode::kUnsupported;
    case 413:
    case 507:
      return ErrorCode::kLimit;
    case 429:
      return ErrorCode::kBusy;
    default:
      return ErrorCode::kSystem;
  }
}

std::string hint_for(const Asked& asked, int status) {
  const std::string name = printable(registry_name(asked.host));
  switch (status) {
    case 401:
    case 403:
      return fmt::format(
          "a registry answers so too for what does not exist; if it does: sbx login {}", name);
    case 404:
      return "is the name right, and does this tag or digest exist there?";
    case 429:
      return fmt::format("the registry limits how much may be asked; wait, or log in: sbx login {}",
                         name);
    default:
      return status >= 500 ? "the registry has a problem of its own; try again later" : "";
  }
}

}  // namespace

std::string describe_error_body(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || body.size() > kMaxBody) {
    return {};
  }
  body.remove_prefix(begin);
  const Result<Json> document = parse_json(body, "error", {.bytes = kMaxBody, .depth = 16});
  if (document && document->is_object()) {
    return describe_document(*document);
  }
  // A page made for a browser says nothing in its first line.
  return body.front() == '<' ? std::string()
                             : printable(body.substr(0, body.find_first_of("\r\n")), kMaxWords);
}

Error refusal(const Asked& asked, int status, std::string_view detail) {
  const std::string_view words = status_words(status);
  std::string reason =
      fmt::format("the registry {} answers {}{}{}", printable(registry_name(asked.host)), status,
                  words.empty() ? "" : " ", words);
  if (!detail.empty()) {
    reason += fmt::format(" ({})", detail);
  }
  return Error::make(code_for(status), asked.op, asked.subject, std::move(reason))
      .with_hint(hint_for(asked, status));
}

}  // namespace sbx::registry
