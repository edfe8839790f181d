#include "registry/lookaside.hpp"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "base/log.hpp"
#include "base/scope_exit.hpp"

namespace sbx::registry {
namespace {

/// libyaml's time grows with the square of what is nested: half a megabyte of '[' takes minutes. A file of registries.d has
/// a few lines and is 3 deep.
constexpr std::size_t kMaxFile = std::size_t{64} << 10U;
constexpr std::ptrdiff_t kMaxBrackets = 1000;

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://", "file:///"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) {
      return text.find_first_of("?# \t\r\n") == std::string_view::npos;
    }
  }
  return false;
}

/// One document of libyaml, whose nodes lie in one array: nothing here goes down further than the format does, so deep or
/// cyclic documents cost nothing.
class Document {
 public:
  using Members = std::vector<std::pair<std::string, const yaml_node_t*>>;

  Document(yaml_document_t& document, const std::string& path) : document_(document), path_(path) {}

  const yaml_node_t* root() { return ::yaml_document_get_root_node(&document_); }

  /// A mapping's members; none of an empty value ("docker:").
  Result<Members> members(const yaml_node_t* node, std::string_view what) {
    Members out;
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0) {
      return out;
    }
    if (node->type != YAML_MAPPING_NODE) {
      return wrong(*node, fmt::format("{} is not a mapping", what));
    }
    std::set<std::string> seen;
    for (const yaml_node_pair_t* pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; ++pair) {
      const yaml_node_t* key = ::yaml_document_get_node(&document_, pair->key);
      const yaml_node_t* value = ::yaml_document_get_node(&document_, pair->value);
      if (key == nullptr || value == nullptr || key->type != YAML_SCALAR_NODE) {
        return wrong(*node, fmt::format("a key of {} is not text", what));
      }
      std::string name = text(*key);
      if (name == "<<" || !seen.insert(name).second) {
        return wrong(
            *key, fmt::format("'{}' stands there twice, or is a merge key", printable(name, 100)));
      }
      out.emplace_back(std::move(name), value);
    }
    return out;
  }

  static std::string text(const yaml_node_t& node) {
    return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length};
  }

  [[nodiscard]] Unexpected<Error> wrong(const yaml_node_t& node, std::string_view reason) const {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path_,
                            fmt::format("line {}: {}", node.start_mark.line + 1, reason)));
  }

 private:
  yaml_document_t& document_;
  const std::string& path_;
};

/// A configuration section's "lookaside", else "sigstore", its old name; empty if it has none.
Result<std::string> section_url(Document& document, const yaml_node_t* section,
                                std::string_view what) {
  std::string current;
  std::string old;
  for (const auto& [key, value] : SBX_TRY(document.members(section, what))) {
    if (key != "lookaside" && key != "sigstore") {
      continue;
    }
    if (value->type != YAML_SCALAR_NODE || !is_url(Document::text(*value))) {
      return document.wrong(*value,
                            fmt::format("{} of {} is not an http, https or file URL", key, what));
    }
    (key == "lookaside" ? current : old) = Document::text(*value);
  }
  return current.empty() ? old : current;
}

Result<std::map<std::string, std::string>> read_document(Document& document) {
  std::map<std::string, std::string> out;
  const yaml_node_t* root = document.root();
  if (root == nullptr) {
    return out;
  }
  for (const auto& [key, value] : SBX_TRY(document.members(root, "the file"))) {
    if (key == "default-docker") {
      out[""] = SBX_TRY(section_url(document, value, "default-docker"));
    } else if (key == "docker") {
      for (const auto& [scope, section] : SBX_TRY(document.members(value, "docker"))) {
        if (scope.empty()) {
          return document.wrong(*section, "a scope of docker is empty");
        }
        out[scope] =
            SBX_TRY(section_url(document, section, fmt::format("'{}'", printable(scope, 120))));
      }
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> scopes_of(const oci::Reference& reference, bool wildcards) {
  std::string name = reference.repository();
  std::vector<std::string> out;
  out.push_back(reference.digest() ? name + "@" + reference.digest()->str()
                                   : name + ":" + reference.tag());
  for (;;) {
    out.push_back(name);
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) {
      break;
    }
    name.resize(slash);
  }
  if (!wildcards || name.starts_with('[')) {
    return out;
  }
  name = name.substr(0, name.find(':'));
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) {
    name.erase(0, dot + 1);
    out.push_back("*." + name);
  }
  return out;
}

Result<std::map<std::string, std::string>> parse_lookaside(std::string_view yaml,
                                                           const std::string& path) {
  const std::ptrdiff_t brackets =
      std::count_if(yaml.begin(), yaml.end(), [](char c) { return c == '[' || c == '{'; });
  if (yaml.size() > kMaxFile || brackets > kMaxBrackets) {
    return fail(Error::make(
        ErrorCode::kLimit, "read", path,
        fmt::format("it has more than {} bytes or {} brackets", kMaxFile, kMaxBrackets)));
  }
  if (yaml.empty()) {
    return std::map<std::string, std::string>{};  // libyaml takes no null pointer
  }
  yaml_parser_t parser{};
  if (::yaml_parser_initialize(&parser) == 0) {
    return fail(Error::make(ErrorCode::kSystem, "read", path, "out of memory"));
  }
  const ScopeExit drop_parser([&] { ::yaml_parser_delete(&parser); });
  ::yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(yaml.data()),
                                 yaml.size());
  yaml_document_t document{};
  const auto load = [&]() -> Result<void> {
    if (::yaml_parser_load(&parser, &document) != 0) {
      return {};
    }
    return fail(
        Error::make(ErrorCode::kCorrupt, "read", path,
                    fmt::format("line {}: {}", parser.problem_mark.line + 1,
                                parser.problem == nullptr ? "no valid YAML" : parser.problem)));
  };
  SBX_TRY(load());
  Document reader(document, path);
  Result<std::map<std::string, std::string>> out = read_document(reader);
  ::yaml_document_delete(&document);
  SBX_TRY(load());
  const bool more = ::yaml_document_get_root_node(&document) != nullptr;
  ::yaml_document_delete(&document);
  if (out && more) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path, "it has more than one document"));
  }
  return out;
}

Result<Lookaside> Lookaside::load(const Environment& env) {
  Lookaside out;
  out.fallback_ = env.uid == 0
                      ? "file://" + env.system("/var/lib/containers/sigstore")
                      : fmt::format("file://{}/.local/share/containers/sigstore", env.home);
  std::map<std::string, std::string> origins;
  for (const std::string& path : SBX_TRY(drop_ins(env, "registries", "", ".yaml"))) {
    const std::optional<std::string> text = SBX_TRY(read_if_there(path, kMaxFile));
    if (!text) {
      continue;
    }
    for (auto& [scope, url] : SBX_TRY(parse_lookaside(*text, path))) {
      const auto [origin, fresh] = origins.emplace(scope, path);
      if (!fresh) {
        return fail(
            Error::make(ErrorCode::kInvalidArgument, "read", path,
                        fmt::format("{} says something of {} already", origin->second,
                                    scope.empty() ? "default-docker" : printable(scope, 120))));
      }
      out.by_scope_[scope] = url;
    }
  }
  return out;
}

std::string Lookaside::url(const oci::Reference& reference, const oci::Digest& manifest,
                           unsigned index) const {
  std::vector<std::string> scopes = scopes_of(reference, false);
  scopes.emplace_back();  // default-docker
  std::string base = fallback_;
  for (const std::string& scope : scopes) {
    const auto found = by_scope_.find(scope);
    if (found != by_scope_.end() && !found->second.empty()) {
      base = found->second;
      break;
    }
  }
  base.erase(base.find_last_not_of('/') + 1);
  return fmt::format("{}/{}@sha256={}/signature-{}", base, reference.path(), manifest.hex(), index);
}

}  // namespace sbx::registry
