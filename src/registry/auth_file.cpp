#include "registry/auth_file.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/log.hpp"

namespace sbx::registry {
namespace {

/// Tokens of cloud registries have up to some 12 KiB.
constexpr std::size_t kMaxSecret = std::size_t{64} << 10U;

Unexpected<Error> wrong(const std::string& path, std::string reason) {
  return fail(Error::make(ErrorCode::kCorrupt, "read", path, std::move(reason)));
}

}  // namespace

std::string plain_key(std::string_view key, AuthFormat format) {
  std::string_view rest = key;
  bool url = false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with(scheme)) {
      rest.remove_prefix(scheme.size());
      url = true;
      break;
    }
  }
  const std::size_t slash = rest.find('/');
  // What follows the host in a URL is the API's path ("/v1/"), elsewhere a namespace.
  if (url || format == AuthFormat::kDockercfg || slash == std::string_view::npos) {
    return registry_name(rest.substr(0, slash));
  }
  return registry_name(rest.substr(0, slash)) + std::string(rest.substr(slash));
}

Result<AuthFile> AuthFile::parse(std::string_view text, const std::string& path,
                                 AuthFormat format) {
  AuthFile out;
  out.path_ = path;
  out.format_ = format;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return out;
  }
  // The parser's own words quote the text, which may be a secret: only that it is wrong is said.
  Result<Json> parsed = parse_json(text, path);
  if (!parsed || !parsed->is_object()) {
    return wrong(path, "it is not a JSON object");
  }
  out.document_ = std::move(*parsed);
  const auto member = [&](const char* key) -> Result<const Json*> {
    Result<const Json*> found = find_object(out.document_, key);
    return found ? found : wrong(path, fmt::format("'{}' is not an object", key));
  };
  if (format == AuthFormat::kDockercfg) {
    return out;
  }
  (void)SBX_TRY(member("auths"));
  const Json* helpers = SBX_TRY(member("credHelpers"));
  if (helpers != nullptr) {
    for (const auto& [host, helper] : helpers->items()) {
      if (!helper.is_string()) {
        return wrong(path, "a value of 'credHelpers' is not a string");
      }
      out.helpers_[plain_key(host, format)] = helper.get<std::string>();
    }
  }
  Result<std::optional<std::string>> store = find_string(out.document_, "credsStore");
  if (!store) {
    return wrong(path, "'credsStore' is not a string");
  }
  out.store_ = store->value_or("");
  return out;
}

const Json& AuthFile::auths() const {
  static const Json none = Json::object();
  if (format_ == AuthFormat::kDockercfg) {
    return document_;
  }
  const auto found = document_.find("auths");
  return found != document_.end() && found->is_object() ? *found : none;
}

Result<std::optional<Credentials>> AuthFile::decode(const std::string& key) const {
  const Json& entry = auths().at(key);
  const auto bad = [&](std::string_view why) {
    return wrong(path_, fmt::format("the entry '{}' {}", printable(key, 120), why));
  };
  const auto text = [&](const char* name) { return find_string(entry, name); };
  const auto auth = text("auth");
  const auto token = text("identitytoken");
  const auto user = text("username");
  const auto password = text("password");
  if (!entry.is_object() || !auth || !token || !user || !password) {
    return bad("is not an object with strings");
  }
  Credentials out;
  out.identity_token = token->value_or("");
  out.username = user->value_or("");  // docker reads them, and writes "auth"
  out.password = password->value_or("");
  if (!auth->value_or("").empty()) {
    const std::optional<std::string> plain = decode_base64(**auth, kMaxSecret);
    const std::size_t colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return bad("has an \"auth\" that is not base64 of USER:PASSWORD");
    }
    out.username = plain->substr(0, colon);
    out.password = plain->substr(colon + 1);
    out.password.erase(out.password.find_last_not_of('\0') + 1);  // old docker padded it
  }
  if (out.identity_token.size() > kMaxSecret || out.password.size() > kMaxSecret) {
    return bad("has a secret of more than 64 KiB");
  }
  const bool empty = out.username.empty() && out.password.empty() && out.identity_token.empty();
  return empty ? std::optional<Credentials>() : std::optional(std::move(out));
}

Result<std::optional<Credentials>> AuthFile::find(std::string_view host,
                                                  std::string_view repository) const {
  const std::string registry = registry_name(host);
  std::string wanted = repository.empty() ? registry : fmt::format("{}/{}", registry, repository);
  for (;;) {
    const bool in_scope = format_ == AuthFormat::kCurrent || wanted == registry;
    if (in_scope && auths().contains(wanted)) {
      std::optional<Credentials> found = SBX_TRY(decode(wanted));
      if (found) {
        return found;
      }
    }
    for (const auto& [key, entry] : auths().items()) {
      if (in_scope && key != wanted && plain_key(key, format_) == wanted) {
        std::optional<Credentials> found = SBX_TRY(decode(key));
        if (found) {
          return found;
        }
      }
    }
    const std::size_t slash = wanted.rfind('/');
    if (slash == std::string::npos) {
      return std::optional<Credentials>{};
    }
    wanted.resize(slash);
  }
}

std::string AuthFile::helper_for(std::string_view host) const {
  const auto found = helpers_.find(registry_name(host));
  return found == helpers_.end() ? std::string() : found->second;
}

std::map<std::string, std::string> AuthFile::list() const {
  std::map<std::string, std::string> out;
  for (const auto& [host, helper] : helpers_) {
    out.emplace(host, "");
  }
  for (const auto& [key, entry] : auths().items()) {
    const Result<std::optional<Credentials>> found = decode(key);
    std::string& user = out[plain_key(key, format_)];
    if (found && *found) {
      user = (*found)->username;
    }
  }
  return out;
}

void AuthFile::set(const std::string& key, const Credentials& credentials) {
  (void)remove(plain_key(key, format_));
  Json entry = Json::object();
  if (!credentials.username.empty() || !credentials.password.empty()) {
    entry["auth"] = encode_base64(fmt::format("{}:{}", credentials.username, credentials.password));
  }
  if (!credentials.identity_token.empty()) {
    entry["auth"] = encode_base64(fmt::format("{}:", credentials.username));
    entry["identitytoken"] = credentials.identity_token;
  }
  Json& all = document_["auths"];
  if (!all.is_object()) {
    all = Json::object();
  }
  all[key] = std::move(entry);
}

bool AuthFile::remove(std::string_view key) {
  const std::string plain = plain_key(key, format_);
  std::vector<std::string> doomed;
  for (const auto& [spelling, entry] : auths().items()) {
    if (plain_key(spelling, format_) == plain) {
      doomed.push_back(spelling);
    }
  }
  for (const std::string& spelling : doomed) {
    document_["auths"].erase(spelling);
  }
  return !doomed.empty();
}

std::string AuthFile::serialise() const { return dump_json(document_, 4) + "\n"; }

}  // namespace sbx::registry
