#include "runtime/planner.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <catch2/catch.hpp>

using sbx::runtime::command_candidates;
using sbx::runtime::IdChoice;
using sbx::runtime::make_plan;
using sbx::sandbox::MountStep;

namespace {

using Words = std::vector<std::string>;

sbx::oci::RuntimeSpec small_spec() {
  sbx::oci::RuntimeSpec spec;
  spec.process.args = {"cmd"};
  spec.process.env = {"PATH=/usr/bin:/bin"};
  spec.process.capabilities = {"CAP_CHOWN"};
  spec.mounts = {{"/proc", "proc", "proc", {"nosuid"}}, {"/dev", "tmpfs", "tmpfs", {"mode=755"}}};
  spec.devices = {{"/dev/null", "/dev/null"}};
  spec.masked_paths = {"/proc/kcore"};
  return spec;
}

IdChoice one_id() {
  IdChoice ids;
  ids.identities.maps = {{{7, 1000, 1}}, {{8, 1000, 1}}};
  return ids;
}

}  // namespace

TEST_CASE("a command is searched in PATH unless it has a slash") {
  CHECK(command_candidates("ls", {"A=1", "PATH=/usr/bin:/bin"}) == Words{"/usr/bin/ls", "/bin/ls"});
  CHECK(command_candidates("./x", {"PATH=/bin"}) == Words{"./x"});
  CHECK(command_candidates("ls", {"PATH=:/bin"}) == Words{"./ls", "/bin/ls"});
  CHECK(command_candidates("ls", {}).empty());
}

TEST_CASE("system mounts refuse links in the image, the user's follow them") {
  auto spec = small_spec();
  spec.mounts.push_back({"/data", "bind", "/tmp", {"rbind", "ro"}});
  const auto ids = one_id();
  const auto plan =
      make_plan({spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true})
          .value();
  const auto find = [&](const char* target) {
    return *std::find_if(plan.mounts.begin(), plan.mounts.end(),
                         [&](const MountStep& s) { return s.target == target; });
  };
  CHECK_FALSE(find("/proc").follow_links);
  CHECK_FALSE(find("/dev").follow_links);
  CHECK(find("/data").follow_links);
  CHECK(find("/data").attributes.read_only);
  CHECK(find("/data").recursive);
  CHECK(find("/dev/null").device);
  CHECK(find("/dev").options == std::vector<std::pair<std::string, std::string>>{{"mode", "755"}});
  CHECK(plan.mounts.back().target == "/data");
}

TEST_CASE("files of the container's own are copied where only the invoker may read them") {
  auto spec = small_spec();
  spec.mounts.push_back({"/etc/hosts", "bind", "/etc-dir/hosts", {"bind", "nosuid"}});
  spec.mounts.push_back({"/data", "bind", "/etc", {"bind"}});
  const auto ids = one_id();
  for (const bool closed : {false, true}) {
    const auto plan = make_plan({spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes",
                                 "/etc-dir", true, closed})
                          .value();
    for (const MountStep& step : plan.mounts) {
      CHECK(step.in_memory == (closed && step.target == "/etc/hosts"));
    }
    CHECK(std::count_if(plan.mounts.begin(), plan.mounts.end(),
                        [](const MountStep& step) { return step.target == "/etc/hosts"; }) == 1);
  }
}

TEST_CASE("masks come after devices, because they use /dev/null") {
  const auto spec = small_spec();
  const auto ids = one_id();
  const auto plan =
      make_plan({spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true})
          .value();
  const auto index = [&](const char* target) {
    return std::find_if(plan.mounts.begin(), plan.mounts.end(),
                        [&](const MountStep& s) { return s.target == target; }) -
           plan.mounts.begin();
  };
  CHECK(index("/dev/null") < index("/proc/kcore"));
}

TEST_CASE("the root file system belongs to the first ids of the maps") {
  const auto spec = small_spec();
  const auto ids = one_id();
  const auto plan =
      make_plan({spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true})
          .value();
  using Option = std::pair<std::string, std::string>;
  CHECK(std::count(plan.root_options.begin(), plan.root_options.end(), Option("user_id", "7")) ==
        1);
  CHECK(std::count(plan.root_options.begin(), plan.root_options.end(), Option("group_id", "8")) ==
        1);
}

TEST_CASE("an unknown capability is an error, not nothing") {
  auto spec = small_spec();
  spec.process.capabilities = {"CAP_NO_SUCH"};
  const auto ids = one_id();
  CHECK_FALSE(make_plan(
      {spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true}));
}

TEST_CASE("a volume is bound from its directory, a part of it without following links") {
  auto spec = small_spec();
  spec.mounts.push_back({"/data", "volume", "name", {"rbind", "sbx.user", "rslave"}});
  spec.mounts.push_back({"/part", "volume", "name", {"rbind", "sbx.subpath=a/b"}});
  const auto ids = one_id();
  const auto plan =
      make_plan({spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true})
          .value();
  const MountStep& part = plan.mounts.back();
  const MountStep& whole = plan.mounts[plan.mounts.size() - 2];
  CHECK(whole.source == "/volumes/name/_data");
  CHECK(whole.beneath.empty());
  CHECK(whole.attributes.make_slave);
  CHECK(whole.options.empty());
  CHECK(part.source == "/volumes/name/_data");
  CHECK(part.beneath == "a/b");
}

TEST_CASE("a source that is not there is made for --volume only") {
  auto spec = small_spec();
  spec.mounts.push_back({"/data", "bind", "/no/such/folder", {"rbind", "sbx.create"}});
  const auto ids = one_id();
  const auto plan_it = [&] {
    return make_plan(
        {spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true});
  };
  CHECK(plan_it().value().mounts.back().make_source);
  spec.mounts.back().options = {"rbind"};
  CHECK(plan_it().error().code == sbx::ErrorCode::kNotFound);
}

TEST_CASE("what the host's mount forbids cannot be asked for") {
  const auto ids = one_id();
  bool tried = false;
  for (const char* path : {"/proc", "/sys", "/dev/shm", "/dev/pts", "/run"}) {
    for (const auto& [word, flag] :
         {std::pair("exec", ST_NOEXEC), std::pair("suid", ST_NOSUID), std::pair("dev", ST_NODEV)}) {
      struct statvfs fs {};
      if (::statvfs(path, &fs) != 0 || (fs.f_flag & static_cast<unsigned long>(flag)) == 0) {
        continue;
      }
      CAPTURE(path, word);
      tried = true;
      auto spec = small_spec();
      spec.mounts.push_back({"/data", "bind", path, {"rbind", word}});
      const auto plan = make_plan(
          {spec, ids, sbx::NetworkMode::kNone, "id", "/point", "/volumes", "/etc-dir", true});
      CHECK(plan.error().code == sbx::ErrorCode::kDenied);
    }
  }
  if (!tried) {
    WARN("nothing is mounted with noexec, nosuid or nodev here");
  }
}
