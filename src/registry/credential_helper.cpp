#include "registry/credential_helper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "sys/file.hpp"
#include "sys/filter.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxName = 64;
/// A user name of this kind says that the secret is an identity token, not a password.
constexpr std::string_view kTokenUser = "<token>";
/// What helpers say when they have nothing: docker-credential-helpers, credentials/error.go.
constexpr std::string_view kNothing = "credentials not found in native keychain";

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

/// The first line of what a failing helper says; nothing if it could be an answer with a secret.
std::string complaint(const std::string& output) {
  const std::string line = output.substr(0, output.find('\n'));
  return line.empty() || output.find('{') != std::string::npos
             ? std::string()
             : fmt::format(": {}", printable(line, 160));
}

}  // namespace

Result<CredentialHelper> CredentialHelper::find(std::string_view name,
                                                const std::vector<std::string>& path) {
  if (!valid_name(name)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "run credential helper", name,
                            "its name may have letters, digits, '.', '_' and '-' only"));
  }
  const std::string program = fmt::format("docker-credential-{}", name);
  for (const std::string& directory : path) {
    std::string candidate = fmt::format("{}/{}", directory, program);
    if (sys::exists_at(AT_FDCWD, candidate)) {
      return CredentialHelper(std::move(candidate));
    }
  }
  return fail(Error::make(ErrorCode::kNotFound, "run credential helper", program,
                          "there is no such program in PATH"));
}

Result<std::optional<std::string>> CredentialHelper::run(const char* verb,
                                                         const std::string& input) const {
  const sys::FilterResult done = SBX_TRY(sys::run_filter({program_, verb}, input));
  if (done.status.shell_code() == 0) {
    return std::optional(done.output);
  }
  if (done.output.find(kNothing) != std::string::npos) {
    return std::optional<std::string>{};
  }
  return fail(Error::make(ErrorCode::kDenied, "run credential helper", program_,
                          fmt::format("its '{}' ended with code {}{}", verb,
                                      done.status.shell_code(), complaint(done.output))));
}

Result<std::optional<Credentials>> CredentialHelper::get(const std::string& server) const {
  const std::optional<std::string> answer = SBX_TRY(run("get", server));
  if (!answer) {
    return std::optional<Credentials>{};
  }
  // The parser's words could quote the secret: the answer is only said to be wrong.
  const Result<Json> parsed = parse_json(*answer, program_);
  const auto text = [&](const char* key) -> std::optional<std::string> {
    Result<std::optional<std::string>> member = find_string(*parsed, key);
    return member ? std::move(*member) : std::nullopt;
  };
  if (!parsed || !parsed->is_object() || !text("Secret")) {
    return fail(Error::make(ErrorCode::kCorrupt, "run credential helper", program_,
                            "its answer is not JSON with Username and Secret"));
  }
  Credentials out;
  out.username = text("Username").value_or("");
  std::string& secret = out.username == kTokenUser ? out.identity_token : out.password;
  secret = text("Secret").value_or("");
  if (out.username == kTokenUser) {
    out.username.clear();
  }
  const bool empty = out.username.empty() && secret.empty();
  return empty ? std::optional<Credentials>() : std::optional(std::move(out));
}

Result<void> CredentialHelper::store(const std::string& server,
                                     const Credentials& credentials) const {
  const bool token = !credentials.identity_token.empty();
  Json request = Json::object();
  request["ServerURL"] = server;
  request["Username"] = token ? std::string(kTokenUser) : credentials.username;
  request["Secret"] = token ? credentials.identity_token : credentials.password;
  (void)SBX_TRY(run("store", dump_json(request)));
  return {};
}

Result<bool> CredentialHelper::erase(const std::string& server) const {
  return SBX_TRY(run("erase", server)).has_value();
}

Result<std::map<std::string, std::string>> CredentialHelper::list() const {
  std::map<std::string, std::string> out;
  const Json parsed = SBX_TRY(parse_json(SBX_TRY(run("list", "")).value_or("{}"), program_));
  if (!parsed.is_object()) {
    return fail(Error::make(ErrorCode::kCorrupt, "run credential helper", program_,
                            "its list is not a JSON object"));
  }
  for (const auto& [server, user] : parsed.items()) {
    out[server] = user.is_string() ? user.get<std::string>() : std::string();
  }
  return out;
}

}  // namespace sbx::registry
