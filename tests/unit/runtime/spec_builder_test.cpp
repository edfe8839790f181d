#include "runtime/spec_builder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::NetworkMode;
using sbx::RunOptions;
using sbx::runtime::AccountFiles;
using sbx::runtime::build_arguments;
using sbx::runtime::build_spec;
using sbx::runtime::IdChoice;
using sbx::runtime::ImageDefaults;
using sbx::runtime::is_init_program;

namespace {

using Words = std::vector<std::string>;

struct World {
  RunOptions request;
  ImageDefaults defaults;
  AccountFiles accounts{"root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n",
                        "extra:x:50:web\nfar:x:70000:web\n"};
  IdChoice ids;
  sbx::sys::Invoker invoker;
  std::vector<sbx::oci::SpecMount> inherited;

  World() {
    request.command = {"true"};
    ids.identities.maps = {{{0, 1000, 1}, {1, 100000, 65536}}, {{0, 1000, 1}, {1, 100000, 65536}}};
    ids.identities.deny_setgroups = false;
    invoker.uid = 1000;
    invoker.gid = 1000;
  }
  [[nodiscard]] auto build() const {
    return build_spec({request, defaults, accounts, ids, invoker, std::string(64, 'a'), "/etc-dir",
                       inherited, false});
  }
};

const sbx::oci::SpecMount* find_mount(const sbx::oci::RuntimeSpec& spec,
                                      const std::string& destination) {
  const auto it = std::find_if(spec.mounts.begin(), spec.mounts.end(),
                               [&](const auto& mount) { return mount.destination == destination; });
  return it == spec.mounts.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("entry point and command are put together as docker does") {
  RunOptions request;
  ImageDefaults defaults;
  defaults.entry_point = {"/entry", "-x"};
  defaults.command = {"default"};
  CHECK(build_arguments(request, defaults).value() == Words{"/entry", "-x", "default"});
  request.command = {"mine"};
  CHECK(build_arguments(request, defaults).value() == Words{"/entry", "-x", "mine"});
  request.entry_point = "/other";
  CHECK(build_arguments(request, defaults).value() == Words{"/other", "mine"});
  request.command.clear();
  CHECK(build_arguments(request, defaults).value() == Words{"/other"});
  request.entry_point = "";
  CHECK(build_arguments(request, defaults).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("programs that want to be PID 1 are known by name") {
  CHECK(is_init_program("/sbin/init"));
  CHECK(is_init_program("tini"));
  CHECK_FALSE(is_init_program("/bin/sh"));
  CHECK_FALSE(is_init_program("initdb"));
}

TEST_CASE("the user has the image's groups as far as they are mapped, and the own one") {
  World world;
  world.request.user = "web";
  const auto spec = world.build().value();
  CHECK(spec.process.user.uid == 33);
  CHECK(spec.process.user.gid == 34);
  CHECK(spec.process.user.additional_gids == std::vector<gid_t>{34, 50});
}

TEST_CASE("an id outside of the maps is refused before anything starts") {
  World world;
  world.request.user = "70000";
  CHECK(world.build().error().code == ErrorCode::kUnsupported);
  world.ids.identities.maps = {{{0, 1000, 1}}, {{0, 1000, 1}}};
  world.ids.single = true;
  world.request.user = "33";
  CHECK(world.build().error().message().find("one id") != std::string::npos);
}

TEST_CASE("where setgroups is denied the groups are left alone") {
  World world;
  world.ids.identities.deny_setgroups = true;
  CHECK_FALSE(world.build().value().process.user.additional_gids.has_value());
}

TEST_CASE("the host's network has no sysfs of its own and the host's name") {
  World world;
  CHECK(find_mount(world.build().value(), "/sys")->type == "sysfs");
  CHECK(world.build().value().hostname == "aaaaaaaaaaaa");
  world.request.network = NetworkMode::kHost;
  const auto spec = world.build().value();
  CHECK(find_mount(spec, "/sys")->type == "bind");
  CHECK(spec.hostname.empty());
  CHECK(std::count(spec.namespaces.begin(), spec.namespaces.end(), "network") == 0);
}

TEST_CASE("system mounts come first, then etc files, then the user's from the outside in") {
  World world;
  world.request.volumes = {"/a:/srv/deep/er", "/b:/srv"};
  world.defaults.volumes = {"/data", "/srv"};
  const auto spec = world.build().value();
  CHECK(spec.mounts.front().destination == "/proc");
  const auto at = [&](const char* destination) { return find_mount(spec, destination); };
  CHECK(at("/etc/hosts") < at("/srv"));
  CHECK(at("/srv") < at("/srv/deep/er"));
  CHECK(at("/srv")->source == "/b");
  CHECK(at("/data")->type == "volume");
  CHECK(at("/data")->source.empty());
}

TEST_CASE("two mounts at one place are refused") {
  World world;
  world.request.volumes = {"/a:/srv", "/b:/srv"};
  CHECK(world.build().error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("what was asked for counts more than what others mount, and that more than the image") {
  World world;
  world.request.tmpfs = {"/one"};
  world.inherited = {{"/one", "bind", "/theirs", {}}, {"/two", "bind", "/theirs", {}}};
  world.defaults.volumes = {"/one", "/two/", "/three", "relative", "/"};
  const auto spec = world.build().value();
  CHECK(find_mount(spec, "/one")->type == "tmpfs");
  CHECK(find_mount(spec, "/two")->type == "bind");
  CHECK(find_mount(spec, "/three")->type == "volume");
  CHECK(find_mount(spec, "/") == nullptr);
  CHECK(find_mount(spec, "relative") == nullptr);
}

TEST_CASE(
    "with a root that cannot be written there is a place for temporary files, as with podman") {
  World world;
  CHECK(find_mount(world.build().value(), "/tmp") == nullptr);
  world.request.read_only = true;
  world.request.volumes = {"/mine:/run"};
  CHECK(find_mount(world.build().value(), "/tmp")->type == "tmpfs");
  CHECK(find_mount(world.build().value(), "/var/tmp")->type == "tmpfs");
  CHECK(find_mount(world.build().value(), "/run")->type == "bind");
  world.request.read_only_tmpfs = false;
  CHECK(find_mount(world.build().value(), "/tmp") == nullptr);
}

TEST_CASE("shared memory is as large as asked") {
  World world;
  CHECK(find_mount(world.build().value(), "/dev/shm")->options.back() == "size=67108864");
  world.request.shm_size = 4096;
  CHECK(find_mount(world.build().value(), "/dev/shm")->options.back() == "size=4096");
}

TEST_CASE("masks are there unless they are lifted") {
  World world;
  CHECK_FALSE(world.build().value().masked_paths.empty());
  world.request.unmask = true;
  CHECK(world.build().value().masked_paths.empty());
  CHECK(world.build().value().read_only_paths.empty());
}

TEST_CASE("the working directory is absolute") {
  World world;
  world.defaults.working_directory = "/srv";
  CHECK(world.build().value().process.cwd == "/srv");
  world.request.working_directory = "relative";
  CHECK_FALSE(world.build());
}
