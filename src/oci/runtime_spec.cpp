#include "oci/runtime_spec.hpp"

namespace sbx::oci {
namespace {

constexpr const char* kSpecVersion = "1.2.0";
// Of a device: not in the specification, which has major and minor numbers there; ours is bound from the host.
constexpr const char* kSource = "source";

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

Json devices(const std::vector<SpecDevice>& list) {
  Json out = Json::array();
  for (const SpecDevice& device : list) {
    out.push_back({{"path", device.path}, {kSource, device.source}});
  }
  return out;
}

Json linux_part(const RuntimeSpec& spec) {
  Json namespaces = Json::array();
  for (const std::string& type : spec.namespaces) {
    namespaces.push_back({{"type", type}});
  }
  return {
      {"namespaces", std::move(namespaces)},        {"uidMappings", mappings(spec.uid_mappings)},
      {"gidMappings", mappings(spec.gid_mappings)}, {"maskedPaths", spec.masked_paths},
      {"readonlyPaths", spec.read_only_paths},      {"devices", devices(spec.devices)}};
}

Error corrupt(std::string_view key) {
  return Error::make(ErrorCode::kCorrupt, "read config.json", std::string(key),
                     "it is out of range");
}

Result<std::uint32_t> find_id(const Json& object, std::string_view key) {
  const std::int64_t value = SBX_TRY(find_integer(object, key)).value_or(0);
  if (value < 0 || value > UINT32_MAX) {
    return fail(corrupt(key));
  }
  return static_cast<std::uint32_t>(value);
}

Result<std::string> find_text(const Json& object, std::string_view key) {
  return SBX_TRY(find_string(object, key)).value_or("");
}

/// The member, or an empty object.
Result<Json> find_part(const Json& object, std::string_view key) {
  const Json* const part = SBX_TRY(find_object(object, key));
  return part == nullptr ? Json::object() : *part;
}

Result<std::optional<std::vector<gid_t>>> read_groups(const Json& user) {
  const Json* const list = SBX_TRY(find_array(user, "additionalGids"));
  if (list == nullptr) {
    return std::optional<std::vector<gid_t>>();
  }
  std::vector<gid_t> out;
  for (const Json& one : *list) {
    if (!one.is_number_unsigned() || one.get<std::uint64_t>() > UINT32_MAX) {
      return fail(corrupt("additionalGids"));
    }
    out.push_back(one.get<gid_t>());
  }
  return std::optional(std::move(out));
}

Result<SpecProcess> read_process(const Json& object) {
  SpecProcess out;
  const Json user = SBX_TRY(find_part(object, "user"));
  const Json capabilities = SBX_TRY(find_part(object, "capabilities"));
  out.terminal = SBX_TRY(find_bool(object, "terminal")).value_or(false);
  out.user.uid = SBX_TRY(find_id(user, "uid"));
  out.user.gid = SBX_TRY(find_id(user, "gid"));
  out.user.additional_gids = SBX_TRY(read_groups(user));
  out.args = SBX_TRY(find_strings(object, "args"));
  out.env = SBX_TRY(find_strings(object, "env"));
  out.cwd = SBX_TRY(find_string(object, "cwd")).value_or("/");
  out.capabilities = SBX_TRY(find_strings(capabilities, "bounding"));
  out.no_new_privileges = SBX_TRY(find_bool(object, "noNewPrivileges")).value_or(false);
  if (out.args.empty() || out.args.front().empty()) {
    return fail(corrupt("args"));
  }
  return out;
}

/// `read` on each object of an array.
template <class T, class Read>
Result<std::vector<T>> read_list(const Json& object, std::string_view key, Read read) {
  std::vector<T> out;
  const Json* const list = SBX_TRY(find_array(object, key));
  for (const Json& one : list == nullptr ? Json::array() : *list) {
    if (!one.is_object()) {
      return fail(corrupt(key));
    }
    out.push_back(SBX_TRY(read(one)));
  }
  return out;
}

Result<SpecMount> read_mount(const Json& object) {
  return SpecMount{SBX_TRY(find_text(object, "destination")), SBX_TRY(find_text(object, "type")),
                   SBX_TRY(find_text(object, "source")), SBX_TRY(find_strings(object, "options"))};
}

Result<SpecIdMapping> read_mapping(const Json& object) {
  return SpecIdMapping{SBX_TRY(find_id(object, "containerID")), SBX_TRY(find_id(object, "hostID")),
                       SBX_TRY(find_id(object, "size"))};
}

Result<SpecDevice> read_device(const Json& object) {
  return SpecDevice{SBX_TRY(find_text(object, "path")), SBX_TRY(find_text(object, kSource))};
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

Result<RuntimeSpec> runtime_spec_from_json(const Json& object) {
  RuntimeSpec out;
  const Json root = SBX_TRY(find_part(object, "root"));
  const Json process = SBX_TRY(find_part(object, "process"));
  const Json linux_only = SBX_TRY(find_part(object, "linux"));
  const Json annotations = SBX_TRY(find_part(object, "annotations"));
  out.hostname = SBX_TRY(find_text(object, "hostname"));
  out.read_only_root = SBX_TRY(find_bool(root, "readonly")).value_or(false);
  out.process = SBX_TRY(read_process(process));
  out.mounts = SBX_TRY(read_list<SpecMount>(object, "mounts", read_mount));
  out.devices = SBX_TRY(read_list<SpecDevice>(linux_only, "devices", read_device));
  out.uid_mappings = SBX_TRY(read_list<SpecIdMapping>(linux_only, "uidMappings", read_mapping));
  out.gid_mappings = SBX_TRY(read_list<SpecIdMapping>(linux_only, "gidMappings", read_mapping));
  out.namespaces = SBX_TRY(read_list<std::string>(
      linux_only, "namespaces", [](const Json& one) { return find_text(one, "type"); }));
  out.masked_paths = SBX_TRY(find_strings(linux_only, "maskedPaths"));
  out.read_only_paths = SBX_TRY(find_strings(linux_only, "readonlyPaths"));
  for (const auto& [key, value] : annotations.items()) {
    (void)value;
    out.annotations.emplace_back(key, SBX_TRY(find_text(annotations, key)));
  }
  return out;
}

}  // namespace sbx::oci
