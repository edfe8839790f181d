#include "sandbox/describe.hpp"

#include <fmt/format.h>

namespace sbx::sandbox {
namespace {

Json describe(const std::vector<sys::IdExtent>& extents) {
  Json out = Json::array();
  for (const sys::IdExtent& extent : extents) {
    out.push_back(
        {{"inside", extent.inside}, {"outside", extent.outside}, {"count", extent.count}});
  }
  return out;
}

const char* kind_name(MountStep::Kind kind) {
  switch (kind) {
    case MountStep::Kind::kBind:
      return "bind";
    case MountStep::Kind::kInstance:
      return "mount";
    case MountStep::Kind::kSymlink:
      return "symlink";
    case MountStep::Kind::kMask:
      return "mask";
    case MountStep::Kind::kReadOnly:
      return "read-only";
  }
  return "?";
}

Json options_of(const MountStep& step) {
  Json options = Json::array();
  for (const auto& [key, value] : step.options) {
    options.push_back(value.empty() ? key : fmt::format("{}={}", key, value));
  }
  const auto& attributes = step.attributes;
  for (const auto& [set, name] :
       {std::pair(attributes.read_only, "ro"), std::pair(attributes.no_suid, "nosuid"),
        std::pair(attributes.no_dev, "nodev"), std::pair(attributes.no_exec, "noexec"),
        std::pair(attributes.make_slave, "rslave"), std::pair(step.recursive, "rbind"),
        std::pair(step.in_memory, "copy")}) {
    if (set) {
      options.push_back(name);
    }
  }
  return options;
}

Json describe(const MountStep& step) {
  Json out{{"do", kind_name(step.kind)}, {"target", step.target}};
  if (!step.source.empty()) {
    out["source"] = step.source;
  }
  if (!step.beneath.empty()) {
    out["subpath"] = step.beneath;
  }
  if (!step.fs_type.empty()) {
    out["type"] = step.fs_type;
  }
  if (Json options = options_of(step); !options.empty()) {
    out["options"] = std::move(options);
  }
  return out;
}

const char* network_name(Network network) {
  switch (network) {
    case Network::kHost:
      return "host";
    case Network::kNone:
      return "none";
    case Network::kTap:
      return "slirp";
  }
  return "?";
}

}  // namespace

Json describe(const Plan& plan) {
  Json mounts = Json::array();
  for (const MountStep& step : plan.mounts) {
    mounts.push_back(describe(step));
  }
  Json credentials{{"uid", plan.credentials.uid},
                   {"gid", plan.credentials.gid},
                   {"capabilities", fmt::format("{:#018x}", plan.credentials.capabilities)},
                   {"noNewPrivileges", plan.credentials.no_new_privileges}};
  if (plan.credentials.groups) {
    credentials["groups"] = *plan.credentials.groups;
  }
  return {{"hostname", plan.hostname},
          {"network", network_name(plan.network)},
          {"uidMap", describe(plan.identities.maps.uids)},
          {"gidMap", describe(plan.identities.maps.gids)},
          {"mapsWrittenBy", plan.identities.writer == sys::MapWriter::kTools ? "newuidmap" : "sbx"},
          {"overlay", plan.overlay ? "kernel" : "fuse"},
          {"mounts", std::move(mounts)},
          {"readOnlyRoot", plan.read_only_root},
          {"terminal", plan.terminal},
          {"init", plan.init},
          {"user", std::move(credentials)},
          {"argv", plan.command.argv},
          {"candidates", plan.command.candidates},
          {"env", plan.command.environment},
          {"cwd", plan.command.working_directory}};
}

}  // namespace sbx::sandbox
