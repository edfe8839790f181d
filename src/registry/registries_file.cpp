// One file of registries.conf(5): from TOML to RegistriesFile, checked.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/toml.hpp"
#include "registry/registries_conf.hpp"

namespace sbx::registry {
namespace {

constexpr std::array<std::string_view, 6> kTopKeys = {
    "registry", "unqualified-search-registries",     "credential-helpers", "short-name-mode",
    "aliases",  "additional-layer-store-auth-helper"};
constexpr std::array<std::string_view, 7> kRegistryKeys = {
    "prefix",          "location", "blocked", "insecure", "mirror", "mirror-by-digest-only",
    "pull-from-mirror"};
constexpr std::array<std::string_view, 3> kMirrorKeys = {"location", "insecure",
                                                         "pull-from-mirror"};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Result<RegistriesFile> read(const Json& top);

 private:
  Unexpected<Error> wrong(std::string reason) const {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path_, std::move(reason)));
  }
  /// A member's error, with the file's name in front: "'location': it is not a string".
  template <class T>
  Result<T> in_file(Result<T> result) const {
    if (result) {
      return result;
    }
    return wrong(
        fmt::format("'{}': {}", printable(result.error().subject, 80), result.error().reason));
  }
  template <std::size_t N>
  void mention_unknown(const Json& table, const std::array<std::string_view, N>& known) const {
    for (const auto& [key, value] : table.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        log::debug("{}: unknown key '{}', ignoring", path_, printable(key, 80));
      }
    }
  }
  Result<std::string> location(const Json& table, std::string_view key) const;
  Result<RegistryRule> rule(const Json& table) const;
  Result<MirrorRule> mirror(const Json& table, const std::string& prefix,
                            bool by_digest_only) const;
  Result<void> read_rules(const Json& top, RegistriesFile& out) const;
  Result<void> check_conflicts(const std::vector<RegistryRule>& rules) const;
  Result<void> read_search(const Json& top, RegistriesFile& out) const;
  Result<void> read_aliases(const Json& top, RegistriesFile& out) const;
  Result<void> read_mode(const Json& top, RegistriesFile& out) const;

  const std::string& path_;
};

/// "[registries.search]", "[registries.insecure]", "[registries.block]".
bool is_version_1(const Json& top) {
  const auto found = top.find("registries");
  return found != top.end() && found->is_object() &&
         (found->contains("search") || found->contains("insecure") || found->contains("block"));
}

bool is_host(std::string_view text) {
  return text.find('/') == std::string_view::npos &&
         oci::Reference::parse(fmt::format("{}/name", text)) && !text.empty();
}

Result<std::string> Reader::location(const Json& table, std::string_view key) const {
  std::string value = SBX_TRY(in_file(find_string(table, key))).value_or("");
  value.erase(value.find_last_not_of('/') + 1);
  if (value.starts_with("http://") || value.starts_with("https://")) {
    return wrong(fmt::format("{} '{}': it must be HOST[:PORT][/PATH], without http:// or https://",
                             key, printable(value, 120)));
  }
  return value;
}

Result<MirrorRule> Reader::mirror(const Json& table, const std::string& prefix,
                                  bool by_digest_only) const {
  mention_unknown(table, kMirrorKeys);
  MirrorRule out;
  out.location = SBX_TRY(location(table, "location"));
  if (out.location.empty()) {
    return wrong(fmt::format("a mirror of '{}' has no location", printable(prefix, 120)));
  }
  out.insecure = SBX_TRY(in_file(find_bool(table, "insecure"))).value_or(false);
  const std::string use = SBX_TRY(in_file(find_string(table, "pull-from-mirror"))).value_or("");
  if (by_digest_only && !use.empty()) {
    return wrong(fmt::format(
        "'{}' sets mirror-by-digest-only, and its mirror '{}' sets pull-from-mirror: only one may",
        printable(prefix, 120), printable(out.location, 120)));
  }
  if (use == "digest-only" || by_digest_only) {
    out.use = MirrorUse::kDigestOnly;
  } else if (use == "tag-only") {
    out.use = MirrorUse::kTagOnly;
  } else if (!use.empty() && use != "all") {
    return wrong(fmt::format("pull-from-mirror '{}': it is all, digest-only or tag-only",
                             printable(use, 60)));
  }
  return out;
}

Result<RegistryRule> Reader::rule(const Json& table) const {
  mention_unknown(table, kRegistryKeys);
  RegistryRule out;
  out.origin = path_;
  out.location = SBX_TRY(location(table, "location"));
  out.prefix = SBX_TRY(location(table, "prefix"));
  const bool wildcard = out.prefix.starts_with("*.");
  if (out.location.empty() && !wildcard) {
    return wrong(out.prefix.empty() ? std::string("a [[registry]] has neither prefix nor location")
                                    : fmt::format("[[registry]] '{}' has no location",
                                                  printable(out.prefix, 120)));
  }
  if (out.prefix.empty()) {
    out.prefix = out.location;
  }
  if (wildcard ? !is_host(out.prefix.substr(2)) || out.prefix.find(':') != std::string::npos
               : out.prefix.find('*') != std::string::npos) {
    return wrong(fmt::format("prefix '{}': a '*' may stand in \"*.example.com\" only",
                             printable(out.prefix, 120)));
  }
  if (table.contains("pull-from-mirror")) {
    return wrong(fmt::format("[[registry]] '{}': pull-from-mirror is for [[registry.mirror]]",
                             printable(out.prefix, 120)));
  }
  out.blocked = SBX_TRY(in_file(find_bool(table, "blocked"))).value_or(false);
  out.insecure = SBX_TRY(in_file(find_bool(table, "insecure"))).value_or(false);
  const bool by_digest =
      SBX_TRY(in_file(find_bool(table, "mirror-by-digest-only"))).value_or(false);
  const Json* mirrors = SBX_TRY(in_file(find_array(table, "mirror")));
  if (mirrors != nullptr) {
    for (const Json& one : *mirrors) {
      out.mirrors.push_back(SBX_TRY(mirror(one, out.prefix, by_digest)));
    }
  }
  return out;
}

/// One place under several prefixes must not be trusted under one and not under another: as containers/image.
Result<void> Reader::check_conflicts(const std::vector<RegistryRule>& rules) const {
  std::map<std::string, const RegistryRule*> by_place;
  for (const RegistryRule& rule : rules) {
    const std::string& place = rule.location.empty() ? rule.prefix : rule.location;
    const RegistryRule& first = *by_place.emplace(place, &rule).first->second;
    if (first.insecure != rule.insecure || first.blocked != rule.blocked) {
      return wrong(fmt::format("two [[registry]] with location '{}' differ in '{}'",
                               printable(place, 120),
                               first.insecure != rule.insecure ? "insecure" : "blocked"));
    }
  }
  return {};
}

Result<void> Reader::read_rules(const Json& top, RegistriesFile& out) const {
  const Json* rules = SBX_TRY(in_file(find_array(top, "registry")));
  if (rules == nullptr) {
    return {};
  }
  for (const Json& table : *rules) {
    if (!table.is_object()) {
      return wrong("'registry' is not [[registry]], a list of tables");
    }
    out.rules.push_back(SBX_TRY(rule(table)));
  }
  return check_conflicts(out.rules);
}

Result<void> Reader::read_search(const Json& top, RegistriesFile& out) const {
  if (top.contains("unqualified-search-registries")) {
    out.search = SBX_TRY(in_file(find_strings(top, "unqualified-search-registries")));
    for (std::string& host : *out.search) {
      host.erase(host.find_last_not_of('/') + 1);
      if (!is_host(host)) {
        return wrong(fmt::format("unqualified-search-registries: '{}' is not HOST[:PORT]",
                                 printable(host, 120)));
      }
    }
  }
  if (top.contains("credential-helpers")) {
    out.credential_helpers = SBX_TRY(in_file(find_strings(top, "credential-helpers")));
  }
  return {};
}

Result<void> Reader::read_aliases(const Json& top, RegistriesFile& out) const {
  const Json* aliases = SBX_TRY(in_file(find_object(top, "aliases")));
  if (aliases == nullptr) {
    return {};
  }
  for (const auto& [name, value] : aliases->items()) {
    if (!value.is_string()) {
      return wrong(fmt::format("alias '{}' is not a string (a name with dots needs quotes)",
                               printable(name, 120)));
    }
    const std::string target = value.get<std::string>();
    const auto bare = [](const std::string& text) {
      return text.find('@') == std::string::npos &&
             text.find(':', std::min(text.rfind('/'), text.size())) == std::string::npos &&
             oci::Reference::parse(text);
    };
    if (!is_short_name(name) || name.find(':') != std::string::npos || !bare(name)) {
      return wrong(fmt::format("alias '{}': it must be a short name without tag and digest",
                               printable(name, 120)));
    }
    if (!target.empty() && (is_short_name(target) || !bare(target))) {
      return wrong(fmt::format("alias '{}' = '{}': it must be HOST/NAME without tag and digest",
                               printable(name, 120), printable(target, 120)));
    }
    out.aliases[name] = target;
  }
  return {};
}

Result<void> Reader::read_mode(const Json& top, RegistriesFile& out) const {
  const std::string mode = SBX_TRY(in_file(find_string(top, "short-name-mode"))).value_or("");
  if (mode == "enforcing") {
    out.mode = ShortNameMode::kEnforcing;
  } else if (mode == "permissive") {
    out.mode = ShortNameMode::kPermissive;
  } else if (mode == "disabled") {
    out.mode = ShortNameMode::kDisabled;
  } else if (!mode.empty()) {
    return wrong(fmt::format("short-name-mode '{}': it is enforcing, permissive or disabled",
                             printable(mode, 60)));
  }
  return {};
}

Result<RegistriesFile> Reader::read(const Json& top) {
  RegistriesFile out;
  mention_unknown(top, kTopKeys);
  SBX_TRY(read_rules(top, out));
  SBX_TRY(read_search(top, out));
  SBX_TRY(read_aliases(top, out));
  SBX_TRY(read_mode(top, out));
  return out;
}

}  // namespace

Result<RegistriesFile> RegistriesFile::parse(std::string_view text, const std::string& path) {
  const Json top = SBX_TRY(parse_toml(text, path));
  if (is_version_1(top)) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "read", path,
                    "it is in version 1 of the format ([registries.search] and the like), which "
                    "has been deprecated since 2019")
            .with_hint("write unqualified-search-registries and [[registry]] instead: "
                       "containers-registries.conf(5)"));
  }
  return Reader(path).read(top);
}

}  // namespace sbx::registry
