#include <sys/utsname.h>

#include <algorithm>
#include <thread>

#include <sbx/system.hpp>
#include <sbx/version.hpp>

#include "api/container_use.hpp"
#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "base/json.hpp"
#include "net/slirp_stack.hpp"
#include "runtime/container_stats.hpp"
#include "runtime/containers.hpp"
#include "runtime/identity.hpp"
#include "runtime/settings.hpp"
#include "sys/file.hpp"
#include "sys/probe.hpp"
#include "sys/xdg.hpp"

namespace sbx {
namespace {

constexpr std::size_t kMaxFile = std::size_t{64} << 10U;

/// The value of a line KEY=VALUE of os-release(5), without its quotes.
std::string os_release(const std::string& key) {
  const std::string text =
      "\n" + sys::read_file_at(AT_FDCWD, "/etc/os-release", kMaxFile).value_or("");
  const std::size_t at = text.find("\n" + key + "=");
  if (at == std::string::npos) {
    return "unknown";
  }
  const std::size_t begin = at + key.size() + 2;
  std::string value = text.substr(begin, text.find('\n', begin) - begin);
  std::erase(value, '"');
  return value;
}

struct Counts {
  std::size_t all = 0;
  std::size_t running = 0;
  std::size_t paused = 0;
};

Result<Counts> count_containers(const std::string& root) {
  Counts out;
  for (const runtime::Container& one : SBX_TRY(runtime::list_containers(root))) {
    ++out.all;
    out.running += one.running() && !one.paused ? 1U : 0U;
    out.paused += one.paused ? 1U : 0U;
  }
  return out;
}

std::string status_word(const sys::Fact& fact) {
  switch (fact.status) {
    case sys::FactStatus::kOk:
      return "ok";
    case sys::FactStatus::kDegraded:
      return "degraded";
    case sys::FactStatus::kMissing:
      return "missing";
  }
  return "";
}

Json fact_json(const sys::Fact& fact) {
  return {{"status", status_word(fact)}, {"found", fact.found}};
}

Json id_maps(const std::vector<sys::IdExtent>& extents) {
  Json out = Json::array();
  for (const sys::IdExtent& extent : extents) {
    out.push_back(
        {{"container_id", extent.inside}, {"host_id", extent.outside}, {"size", extent.count}});
  }
  return out;
}

Json slirp_json() {
  const Result<net::SlirpVersion> version = net::slirp_version();
  return {{"status", version && version->supported ? "ok" : "missing"},
          {"found", version ? version->text : version.error().message()}};
}

/// What podman calls host.
Result<Json> host_json(const std::string& root, const utsname& machine) {
  const sys::Invoker who = sys::invoker();
  const auto mode = UserNamespaceMode::kAuto;
  const runtime::IdFacts facts = SBX_TRY(runtime::find_id_facts(who, mode));
  const runtime::IdChoice ids = SBX_TRY(runtime::plan_identities(facts, mode));
  return Json{{"arch", machine.machine},
              {"cpus", std::thread::hardware_concurrency()},
              {"hostname", machine.nodename},
              {"kernel", machine.release},
              {"memTotal", runtime::machine_memory()},
              {"os", "linux"},
              {"distribution", os_release("PRETTY_NAME")},
              {"security", {{"rootless", who.uid != 0}}},
              {"idMappings",
               {{"uidmap", id_maps(ids.identities.maps.uids)},
                {"gidmap", id_maps(ids.identities.maps.gids)},
                {"singleId", ids.single}}},
              {"userNamespaces", fact_json(sys::probe_user_namespaces())},
              {"cgroup", fact_json(sys::probe_cgroup())},
              {"kernelOverlay", fact_json(sys::probe_overlay(root))},
              {"network", {{"slirp", slirp_json()}, {"tun", fact_json(sys::probe_tun())}}}};
}

Result<std::string> collect(const std::string& given_root) {
  const std::string root = SBX_TRY(runtime::data_root_of(given_root));
  const runtime::Settings settings = SBX_TRY(runtime::load_settings());
  const Counts containers = SBX_TRY(count_containers(root));
  const std::size_t images = SBX_TRY(SBX_TRY(api::open_images(given_root)).list()).size();
  utsname machine{};
  (void)::uname(&machine);  // cannot fail with memory of ours
  Json out{{"host", SBX_TRY(host_json(root, machine))},
           {"store",
            {{"graphRoot", root},
             {"configFiles", settings.files},
             {"imageStores", settings.image_stores},
             {"containerStore",
              {{"number", containers.all},
               {"running", containers.running},
               {"paused", containers.paused},
               {"stopped", containers.all - containers.running - containers.paused}}},
             {"imageStore", {{"number", images}}}}},
           {"version", {{"Version", version()}}}};
  // docker's names of the same
  out["Containers"] = containers.all;
  out["ContainersRunning"] = containers.running;
  out["ContainersPaused"] = containers.paused;
  out["ContainersStopped"] = containers.all - containers.running - containers.paused;
  out["Images"] = images;
  out["ServerVersion"] = version();
  out["DockerRootDir"] = root;
  out["Name"] = machine.nodename;
  out["KernelVersion"] = machine.release;
  out["OperatingSystem"] = os_release("PRETTY_NAME");
  out["OSType"] = "linux";
  out["Architecture"] = machine.machine;
  out["NCPU"] = std::thread::hardware_concurrency();
  out["MemTotal"] = runtime::machine_memory();
  out["LoggingDriver"] = "json-file";
  out["CgroupDriver"] = "none";
  return dump_json(out);
}

}  // namespace

Outcome<std::string> system_info(const std::string& root) { return api::to_outcome(collect(root)); }

}  // namespace sbx
