#include "image/squash_defaults.hpp"

#include <sys/stat.h>

#include <string_view>
#include <vector>

#include "base/base64.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMostText = std::size_t{2} << 20U;  // passwd files of large sites
constexpr std::size_t kMostEnvironment = std::size_t{256} << 10U;

// As apptainer sources them before it runs anything; in the order of their names, which the shell's pattern gives. What one
// of them leaves as its status is nobody's concern.
constexpr const char* kApptainerEntry =
    R"(for f in /.singularity.d/env/*.sh; do if [ -f "$f" ]; then . "$f"; fi; done; exec "$@")";
constexpr const char* kRunScript = "/.singularity.d/runscript";

class Tree {
 public:
  Tree(const layer::ImageTree& tree, layer::SquashReader& reader) : tree_(tree), reader_(reader) {}

  [[nodiscard]] bool has_file(std::string_view path) const { return has(path, S_IFREG); }
  [[nodiscard]] bool has_directory(std::string_view path) const { return has(path, S_IFDIR); }
  [[nodiscard]] std::string read(std::string_view path, std::size_t max) const {
    return reader_.read_file(tree_.resolve(path), max).value_or("");
  }

 private:
  [[nodiscard]] bool has(std::string_view path, std::uint32_t type) const {
    const auto inode = tree_.inode(tree_.resolve(path));
    return inode && (inode->mode & S_IFMT) == type;
  }
  const layer::ImageTree& tree_;
  layer::SquashReader& reader_;
};

/// The lines that are NAME=VALUE; a NUL can be in none.
Json environment_lines(std::string_view text) {
  Json out = Json::array();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && equals != 0 && line.front() != '#' &&
        line.find('\0') == std::string_view::npos) {
      out.push_back(std::string(line));
    }
  }
  return out;
}

Json config_of(const Tree& tree, const std::optional<Json>& oci_config) {
  Json config = Json::object();
  const Json known = oci_config && oci_config->is_object() ? *oci_config : Json::object();
  if (known.contains("WorkingDir")) {
    config["WorkingDir"] = known["WorkingDir"];
  }
  const bool shell = tree.has_file("/bin/sh");
  if (shell && tree.has_directory("/.singularity.d/env")) {
    config["Entrypoint"] = {"/bin/sh", "-c", kApptainerEntry, "sh"};
    if (tree.has_file(kRunScript)) {
      config["Cmd"] = {"/bin/sh", kRunScript};
    }
    return config;
  }
  if (shell && tree.has_file("/etc/rc")) {
    config["Entrypoint"] = {"/bin/sh", "/etc/rc"};
    config["Env"] = environment_lines(tree.read("/etc/environment", kMostEnvironment));
    return config;
  }
  for (const char* key : {"Entrypoint", "Cmd", "Env", "User"}) {
    if (known.contains(key)) {
      config[key] = known[key];
    }
  }
  return config;
}

}  // namespace

Json squash_note(const layer::ImageTree& tree, layer::SquashReader& reader,
                 const std::optional<Json>& oci_config) {
  const Tree files(tree, reader);
  return {{"config", config_of(files, oci_config)},
          {"passwd", encode_base64(files.read("/etc/passwd", kMostText))},
          {"group", encode_base64(files.read("/etc/group", kMostText))}};
}

}  // namespace sbx::image
