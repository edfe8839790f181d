#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "registry/environment.hpp"
#include "temporary_dir.hpp"

/// A machine and a user with configuration files of their own.
struct ConfigFixture {
  TemporaryDir dir;
  sbx::registry::Environment env;

  ConfigFixture() {
    env.uid = 1000;
    env.home = dir.path + "/home";
    env.config_home = env.home + "/.config";
    env.cache_home = env.home + "/.cache";
    env.runtime_dir = dir.path + "/run-user";
    env.root = dir.path + "/root";
    env.path = {dir.path + "/bin"};
    std::filesystem::create_directories(env.runtime_dir);
  }
  /// Below the root of the machine ("/etc/..."), "~/" the home, "run/" the run-time directory.
  [[nodiscard]] std::string path(const std::string& name) const {
    if (name.starts_with("~/")) {
      return env.home + name.substr(1);
    }
    return name.starts_with('/') ? env.root + name : dir.path + "/" + name;
  }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string file = path(name);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
    return file;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// A program docker-credential-NAME of these lines of sh.
  void helper(const std::string& name, const std::string& script) const {
    const std::string file = write("bin/docker-credential-" + name, "#!/bin/sh\n" + script);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
};
