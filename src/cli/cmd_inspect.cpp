#include <array>
#include <cstdio>

#include <sbx/container.hpp>
#include <sbx/image.hpp>
#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

namespace {

constexpr std::string_view kRemote = "docker://";

enum class Kind { kAny, kContainer, kImage };

/// What the options say besides the names.
struct How {
  std::string root;
  Kind kind = Kind::kAny;
  bool size = false;
  std::string platform;
  RegistryOptions registry;
  bool raw = false;
  bool config = false;
};

bool is_remote(const std::string& name) { return name.starts_with(kRemote); }

/// As docker: a container is looked for first.
Outcome<std::string> inspect_local(const How& how, const std::string& name) {
  constexpr int kNotThere = 1;
  if (how.kind == Kind::kImage) {
    return inspect_image(how.root, name);
  }
  Outcome<std::string> container = inspect_container(how.root, name, how.size);
  if (container || how.kind == Kind::kContainer) {
    return container;
  }
  const Outcome<Container> there = find_container(how.root, name);
  Outcome<std::string> image = there ? container : inspect_image(how.root, name);
  return image || there
             ? image
             : Failure{kNotThere, "there is no container and no image '" + name +
                                      "'\n  hint: 'sbx ps --all' and 'sbx images' list them"};
}

Outcome<std::string> inspect_one(const How& how, const std::string& name) {
  if (!is_remote(name)) {
    return inspect_local(how, name);
  }
  const Outcome<RemoteImage> remote = inspect_remote({name, how.platform, how.registry});
  if (!remote) {
    return remote.failure();
  }
  if (how.raw) {
    return how.config ? remote.value().config : remote.value().manifest;
  }
  return remote.value().json;
}

}  // namespace

int cmd_inspect(const GlobalOptions& global, const Words& words) {
  How how{.root = global.root};
  std::vector<std::string> names;
  std::string format = "json";
  CommandLine line("inspect",
                   "Show what is known of containers and images, as a JSON array with docker's "
                   "member names.");
  line.choice(
      "--type", {"container", "image"},
      [&how](std::size_t index) {
        how.kind = std::array{Kind::kContainer, Kind::kImage}.at(index);
      },
      "What is meant (default: a container of that name, else an image)");
  line.flag("-s,--size", how.size, "Of containers: SizeRw and SizeRootFs, in bytes");
  line.value("-f,--format", format, "json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Id}}' or '{{json .Config.Env}}'");
  line.value("--platform", how.platform, "OS/ARCH[/VARIANT]",
             "In a registry: which image of several");
  line.flag("--raw", how.raw, "In a registry: the manifest or index, byte by byte");
  line.flag("--config", how.config, "With --raw: the configuration instead");
  add_registry_options(line, how.registry);
  line.arguments("NAME", names,
                 "Name or id, of an image also its digest; docker://NAME for what a registry has");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (how.config && !how.raw) {
    return refuse("--config goes with --raw");
  }
  const bool remote_only = how.raw || !how.platform.empty() || !how.registry.auth_file.empty() ||
                           how.registry.tls_verify;
  int worst = 0;
  std::string all;
  for (const std::string& name : names) {
    if (remote_only && !is_remote(name)) {
      return refuse("'" + name +
                    "' is looked for in the store; --raw, --platform, --authfile and "
                    "--tls-verify go with docker://NAME");
    }
    const Outcome<std::string> found = inspect_one(how, name);
    if (!found) {
      worst = complain(found.failure());
    } else if (how.raw) {
      (void)std::fwrite(found.value().data(), 1, found.value().size(), stdout);
    } else if (format == "json") {
      all += (all.empty() ? "" : ",\n") + found.value();
    } else if (const int code = print_by_template(format, found.value()); code != 0) {
      worst = code;
    }
  }
  if (format == "json" && !how.raw) {
    std::printf("[%s]\n", all.c_str());
  }
  return worst;
}

}  // namespace sbx::cli
