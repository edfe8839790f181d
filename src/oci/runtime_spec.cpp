#include "oci/runtime_spec.hpp"

namespace sbx::oci {
namespace {

constexpr const char* kSpecVersion = "1.2.0";

Json mappings(const std::vector<SpecIdMapping>& list) {
  Json out = Json::array();
  for (const SpecIdMapping& mapping : list) {
    out.push_back({{"containerID", mapping.container_id},
                   {"hostID", mapping.host_id},
                   {"size", mapping.size}});
  }
  return out;
}

Json process(const SpecProcess& process) {
  Json user{{"uid", process.user.uid}, {"gid", process.user.gid}};
  if (process.user.additional_gids) {
    user["additionalGids"] = *process.user.additional_gids;
  }
  return {{"terminal", process.terminal},
          {"user", std::move(user)},
          {"args", process.args},
          {"env", process.env},
          {"cwd", process.cwd},
          {"capabilities",
           {{"bounding", process.capabilities},
            {"effective", process.capabilities},
            {"permitted", process.capabilities}}},
          {"noNewPrivileges", process.no_new_privileges}};
}

Json mounts(const std::vector<SpecMount>& list) {
  Json out = Json::array();
  for (const SpecMount& mount : list) {
    out.push_back({{"destination", mount.destination},
                   {"type", mount.type},
                   {"source", mount.source},
                   {"options", mount.options}});
  }
  return out;
}

Json linux_part(const RuntimeSpec& spec) {
  Json namespaces = Json::array();
  for (const std::string& type : spec.namespaces) {
    namespaces.push_back({{"type", type}});
  }
  return {{"namespaces", std::move(namespaces)},
          {"uidMappings", mappings(spec.uid_mappings)},
          {"gidMappings", mappings(spec.gid_mappings)},
          {"maskedPaths", spec.masked_paths},
          {"readonlyPaths", spec.read_only_paths}};
}

}  // namespace

Json to_json(const RuntimeSpec& spec) {
  Json annotations = Json::object();
  for (const auto& [key, value] : spec.annotations) {
    annotations[key] = value;
  }
  return {{"ociVersion", kSpecVersion},
          {"hostname", spec.hostname},
          {"root", {{"path", "rootfs"}, {"readonly", spec.read_only_root}}},
          {"process", process(spec.process)},
          {"mounts", mounts(spec.mounts)},
          {"linux", linux_part(spec)},
          {"annotations", std::move(annotations)}};
}

}  // namespace sbx::oci
