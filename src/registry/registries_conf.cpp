#include "registry/registries_conf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20U;
constexpr std::string_view kAuthFiles = "containers-auth.json";

/// The host before a name's first '/', without its port.
std::string_view host_of(std::string_view name) {
  std::string_view host = name.substr(0, name.find('/'));
  const std::size_t bracket = host.find(']');  // of an IPv6 address
  return host.substr(0, host.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

/// How many bytes of the name a prefix covers; nullopt if it does not match. Unlike containers/image, which calls it an
/// accident, "example.com" does not match "example.com:5000/x".
std::optional<std::size_t> covered(std::string_view name, std::string_view prefix) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = host_of(name);
    const bool below = host.size() > prefix.size() - 1 && host.ends_with(prefix.substr(1));
    return below ? std::optional(host.size()) : std::nullopt;
  }
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  if (name.size() == prefix.size()) {
    return prefix.size();
  }
  const char next = name[prefix.size()];
  const bool whole_host = prefix.find('/') == std::string_view::npos;
  const bool separator = next == '/' || (!whole_host && (next == ':' || next == '@'));
  return separator ? std::optional(prefix.size()) : std::nullopt;
}

/// The name under a location instead of a prefix, as an endpoint. Only the repository may change: a location with a tag
/// would have us fetch something else than what was asked for.
Result<Endpoint> rewritten(const oci::Reference& reference, const RegistryRule& rule,
                           const std::string& location) {
  const std::string name = reference.str();
  const std::size_t length = covered(name, rule.prefix).value_or(0);
  const std::string target = location.empty() ? name : location + name.substr(length);
  const auto refuse = [&](std::string_view why) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "read", rule.origin,
                    fmt::format("location '{}' turns '{}' into '{}': {}", printable(location, 120),
                                name, printable(target, 200), why)));
  };
  if (is_short_name(target)) {
    return refuse("the host must have a '.' or ':', or be localhost");
  }
  const Result<oci::Reference> parsed = oci::Reference::parse(target);
  if (!parsed) {
    return refuse(parsed.error().reason);
  }
  if (parsed->tag() != reference.tag() || parsed->digest() != reference.digest()) {
    return refuse("another tag or digest, which is not supported");
  }
  Endpoint out;
  out.host = registry_host(parsed->domain());
  out.repository = parsed->path();
  return out;
}

}  // namespace

bool is_short_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return true;
  }
  const std::string_view first = name.substr(0, slash);
  const bool upper =
      std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return first.find_first_of(".:") == std::string_view::npos && first != "localhost" && !upper;
}

void RegistriesConf::apply(RegistriesFile file, const std::string& path) {
  // Within one file the first of two rules with the same prefix counts, between files the later: as containers/image.
  std::map<std::string, RegistryRule> fresh;
  for (RegistryRule& rule : file.rules) {
    const std::string prefix = rule.prefix;
    fresh.emplace(prefix, std::move(rule));
  }
  for (auto& [prefix, rule] : fresh) {
    rules_[prefix] = std::move(rule);
  }
  if (file.search) {
    search_ = std::move(file.search);
    search_origin_ = path;
  }
  if (file.credential_helpers) {
    helpers_ = std::move(*file.credential_helpers);
  }
  mode_ = file.mode.value_or(mode_);
  for (auto& [name, target] : file.aliases) {
    aliases_[name] = std::move(target);
  }
  sources_.push_back(path);
}

Result<void> RegistriesConf::apply_file(const std::string& path, bool must_exist) {
  const std::optional<std::string> text = SBX_TRY(read_if_there(path, kMaxFile));
  if (text) {
    apply(SBX_TRY(RegistriesFile::parse(*text, path)), path);
    log::debug("read {}", path);
  } else if (must_exist) {
    return fail(Error::make(ErrorCode::kNotFound, "read", path, "no such file")
                    .with_hint("CONTAINERS_REGISTRIES_CONF names it"));
  }
  return {};
}

Result<void> RegistriesConf::load_usual(const Environment& env) {
  std::vector<std::string> folders = {env.system("/etc/containers"),
                                      env.system("/usr/share/containers")};
  if (!env.config_home.empty()) {
    folders.insert(folders.begin(), env.config_home + "/containers");
  }
  for (auto folder = folders.begin(); folder != folders.end() && sources_.empty(); ++folder) {
    SBX_TRY(apply_file(*folder + "/registries.conf", false));
  }
  for (const std::string& path : SBX_TRY(drop_ins(env, "registries", ".conf", ".conf"))) {
    SBX_TRY(apply_file(path, false));
  }
  return {};
}

Result<RegistriesConf> RegistriesConf::load(const Environment& env) {
  RegistriesConf out;
  if (!env.registries_conf.empty()) {
    SBX_TRY(out.apply_file(env.registries_conf, true));
  } else {
    SBX_TRY(out.load_usual(env));
  }
  if (!env.registries_conf_override.empty()) {
    SBX_TRY(out.apply_file(env.registries_conf_override, true));
  }
  const std::string cache = env.uid == 0 ? env.system("/var/cache") : env.cache_home;
  if (!cache.empty()) {
    const std::string recorded = cache + "/containers/short-name-aliases.conf";
    const std::optional<std::string> text = SBX_TRY(read_if_there(recorded, kMaxFile));
    if (text) {
      RegistriesFile aliases;  // only these: the file is written by programs
      aliases.aliases = SBX_TRY(RegistriesFile::parse(*text, recorded)).aliases;
      out.apply(std::move(aliases), recorded);
    }
  }
  if (out.helpers_.empty()) {
    out.helpers_.emplace_back(kAuthFiles);
  }
  return out;
}

RegistriesConf RegistriesConf::of(const std::vector<RegistriesFile>& files) {
  RegistriesConf out;
  for (const RegistriesFile& file : files) {
    out.apply(file, "a file");
  }
  return out;
}

std::vector<std::string> RegistriesConf::search_registries() const {
  return search_.value_or(std::vector<std::string>{"docker.io"});
}

Result<std::vector<oci::Reference>> RegistriesConf::search(std::string_view typed) const {
  const std::vector<std::string> hosts = search_registries();
  if (hosts.empty()) {
    return fail(Error::make(ErrorCode::kNotFound, "find a registry for", typed,
                            fmt::format("no alias is known for this short name, and {} sets "
                                        "unqualified-search-registries to an empty list",
                                        search_origin_))
                    .with_hint(fmt::format("name the registry: docker.io/library/NAME; read: {}",
                                           fmt::join(sources_, ", "))));
  }
  std::vector<oci::Reference> out;
  out.reserve(hosts.size());
  for (const std::string& host : hosts) {
    out.push_back(SBX_TRY(oci::Reference::parse(fmt::format("{}/{}", host, typed))));
  }
  if (mode_ == ShortNameMode::kEnforcing && out.size() > 1) {
    std::vector<std::string> names;
    names.reserve(out.size());
    for (const oci::Reference& candidate : out) {
      names.push_back(candidate.str());
    }
    return fail(Error::make(ErrorCode::kInvalidArgument, "choose a registry for", typed,
                            fmt::format("it could be {} (short-name-mode is enforcing)",
                                        fmt::join(names, " or ")))
                    .with_hint("type the full name"));
  }
  return out;
}

Result<std::vector<oci::Reference>> RegistriesConf::resolve(std::string_view typed) const {
  oci::Reference reference = SBX_TRY(oci::Reference::parse(typed));
  if (!is_short_name(typed)) {
    return std::vector<oci::Reference>{std::move(reference)};
  }
  const std::string_view name = typed.substr(0, typed.find_first_of(":@"));
  const auto alias = aliases_.find(std::string(name));
  if (alias != aliases_.end() && !alias->second.empty()) {
    return std::vector<oci::Reference>{SBX_TRY(
        oci::Reference::parse(fmt::format("{}{}", alias->second, typed.substr(name.size()))))};
  }
  return search(typed);
}

const RegistryRule* RegistriesConf::rule_for(const std::string& name) const {
  const RegistryRule* best = nullptr;
  for (const auto& [prefix, rule] : rules_) {
    if (covered(name, prefix) && (best == nullptr || prefix.size() > best->prefix.size())) {
      best = &rule;
    }
  }
  return best;
}

Result<std::vector<Endpoint>> RegistriesConf::endpoints(const oci::Reference& reference,
                                                        bool for_push) const {
  Endpoint itself;
  itself.host = registry_host(reference.domain());
  itself.repository = reference.path();
  const RegistryRule* rule = rule_for(reference.str());
  if (rule == nullptr) {
    return std::vector<Endpoint>{std::move(itself)};
  }
  if (rule->blocked) {
    return fail(Error::make(
        ErrorCode::kDenied, for_push ? "push to" : "pull from", reference.repository(),
        fmt::format("'{}' is blocked in {}", printable(rule->prefix, 120), rule->origin)));
  }
  if (for_push) {
    itself.insecure = rule->insecure;
    return std::vector<Endpoint>{std::move(itself)};
  }
  std::vector<Endpoint> out;
  for (const MirrorRule& mirror : rule->mirrors) {
    const MirrorUse needed = reference.digest() ? MirrorUse::kDigestOnly : MirrorUse::kTagOnly;
    if (mirror.use == MirrorUse::kAll || mirror.use == needed) {
      Endpoint endpoint = SBX_TRY(rewritten(reference, *rule, mirror.location));
      endpoint.insecure = mirror.insecure;
      endpoint.mirror = true;
      out.push_back(std::move(endpoint));
    }
  }
  Endpoint primary = SBX_TRY(rewritten(reference, *rule, rule->location));
  primary.insecure = rule->insecure;
  out.push_back(std::move(primary));
  return out;
}

}  // namespace sbx::registry
