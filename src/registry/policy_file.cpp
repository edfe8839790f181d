// The text of policy.json: from JSON to Policy, strictly.

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/base64.hpp"
#include "registry/policy.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxKeyData = std::size_t{1} << 20U;

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  [[nodiscard]] Unexpected<Error> wrong(std::string reason) const {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path_, std::move(reason)));
  }

  [[nodiscard]] Result<void> only(const Json& object, std::string_view what,
                                  std::initializer_list<std::string_view> known) const {
    if (!object.is_object()) {
      return wrong(fmt::format("{} is not an object", what));
    }
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return wrong(
            fmt::format("{} has a member '{}' that is not known", what, printable(key, 80)));
      }
    }
    return {};
  }

  /// A non-empty list: requirements that are not there would accept everything.
  [[nodiscard]] Result<std::vector<PolicyRequirement>> requirements(const Json& list,
                                                                    const std::string& what) const {
    if (!list.is_array() || list.empty()) {
      return wrong(fmt::format("the requirements of {} are not a list, or an empty one", what));
    }
    std::vector<PolicyRequirement> out;
    for (const Json& one : list) {
      out.push_back(SBX_TRY(requirement(one, what)));
    }
    return out;
  }

 private:
  [[nodiscard]] Result<PolicyRequirement> requirement(const Json& object,
                                                      const std::string& what) const {
    using Kind = PolicyRequirement::Kind;
    if (!object.is_object() || !object.contains("type") || !object["type"].is_string()) {
      return wrong(fmt::format("a requirement of {} has no type", what));
    }
    PolicyRequirement out;
    out.type = object["type"].get<std::string>();
    if (out.type == "insecureAcceptAnything" || out.type == "reject") {
      SBX_TRY(only(object, out.type, {"type"}));
      out.kind = out.type == "reject" ? Kind::kReject : Kind::kAcceptAnything;
    } else if (out.type == "signedBy") {
      SBX_TRY(read_signed_by(object, out));
    }
    return out;
  }

  Result<void> read_signed_by(const Json& object, PolicyRequirement& out) const {
    SBX_TRY(only(object, "signedBy",
                 {"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"}));
    const auto text = [&](const char* key) { return find_string(object, key); };
    const auto type = text("keyType");
    const auto path = text("keyPath");
    const auto data = text("keyData");
    const auto paths = find_strings(object, "keyPaths");
    if (!type || !path || !data || !paths) {
      return wrong("a member of signedBy is not of its type");
    }
    const int given = (*path ? 1 : 0) + (*data ? 1 : 0) + (object.contains("keyPaths") ? 1 : 0);
    if (given != 1) {
      return wrong("signedBy needs exactly one of keyPath, keyPaths and keyData");
    }
    if (*type != "GPGKeys") {  // known, but like others nothing that we can check
      out.type = fmt::format("signedBy with keyType {}", printable(type->value_or(""), 60));
      return {};
    }
    out.key_files = *path ? std::vector<std::string>{**path} : *paths;
    if (*data) {
      const std::optional<std::string> decoded = decode_base64(**data, kMaxKeyData);
      if (!decoded || decoded->empty()) {
        return wrong("keyData of signedBy is not base64");
      }
      out.key_data = *decoded;
    } else if (out.key_files.empty()) {
      return wrong("keyPaths of signedBy is empty");
    }
    if (object.contains("signedIdentity")) {
      Result<IdentityRule> rule = IdentityRule::parse(object["signedIdentity"]);
      if (!rule) {
        return wrong(fmt::format("signedIdentity: {}", rule.error().reason));
      }
      out.identity = std::move(*rule);
    }
    out.kind = PolicyRequirement::Kind::kSignedBy;
    return {};
  }

  const std::string& path_;
};

}  // namespace

Result<Policy> Policy::parse(std::string_view text, const std::string& path) {
  const Reader reader(path);
  JsonLimits limits;
  limits.depth = 16;
  const Json top = SBX_TRY(parse_json(text, path, limits));
  SBX_TRY(reader.only(top, "the file", {"default", "transports"}));
  if (!top.contains("default")) {
    return reader.wrong("it has no default");
  }
  Policy out;
  out.path_ = path;
  out.default_ = SBX_TRY(reader.requirements(top["default"], "default"));
  if (!top.contains("transports")) {
    return out;
  }
  if (!top["transports"].is_object()) {
    return reader.wrong("transports is not an object");
  }
  for (const auto& [transport, scopes] : top["transports"].items()) {
    if (!scopes.is_object()) {
      return reader.wrong(fmt::format("transport '{}' is not an object", printable(transport, 80)));
    }
    for (const auto& [scope, list] : scopes.items()) {
      const std::string what =
          fmt::format("'{}' of '{}'", printable(scope, 120), printable(transport, 80));
      std::vector<PolicyRequirement> read = SBX_TRY(reader.requirements(list, what));
      if (transport == "docker") {
        out.docker_[scope] = std::move(read);
      }
    }
  }
  return out;
}

}  // namespace sbx::registry
