#include "registry/credentials.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <set>

#include "base/log.hpp"
#include "oci/reference.hpp"
#include "registry/credential_helper.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20U;
/// The helper of registries.conf(5) that is no helper: the files.
constexpr std::string_view kAuthFiles = "containers-auth.json";

struct Place {
  std::string path;
  AuthFormat format = AuthFormat::kCurrent;
  bool named = false;  // by the user: it must exist
};

std::string named_file(const AuthSources& sources) {
  return sources.auth_file.empty() ? sources.env.auth_file : sources.auth_file;
}

/// The file that podman login writes for root or without a run-time directory.
std::string run_file(const Environment& env) {
  return env.runtime_dir.empty() ? env.system(fmt::format("/run/containers/{}/auth.json", env.uid))
                                 : env.runtime_dir + "/containers/auth.json";
}

std::vector<Place> places(const AuthSources& sources) {
  const Environment& env = sources.env;
  if (std::string named = named_file(sources); !named.empty()) {
    return {{std::move(named), AuthFormat::kCurrent, true}};
  }
  std::vector<Place> out = {{run_file(env)}};
  if (!env.config_home.empty()) {
    out.push_back({env.config_home + "/containers/auth.json"});
  }
  if (!env.docker_config.empty()) {
    out.push_back({env.docker_config + "/config.json"});
  } else if (!env.home.empty()) {
    out.push_back({env.home + "/.docker/config.json"});
  }
  if (!env.home.empty()) {
    out.push_back({env.home + "/.dockercfg", AuthFormat::kDockercfg});
  }
  return out;
}

/// nullopt if there is no such file.
Result<std::optional<AuthFile>> read_place(const Place& place) {
  Result<std::optional<std::string>> text = read_if_there(place.path, kMaxFile);
  // /run/containers is root's where root runs podman: nothing of ours can be in it.
  if (!text && !place.named && text.error().sys_errno == EACCES) {
    log::debug("{} cannot be read, ignoring", place.path);
    return std::optional<AuthFile>{};
  }
  const std::optional<std::string> content = SBX_TRY(std::move(text));
  if (!content && place.named) {
    return fail(
        Error::make(ErrorCode::kNotFound, "read", place.path, "no such file")
            .with_hint("it is named by --authfile or REGISTRY_AUTH_FILE; sbx login makes it"));
  }
  return content ? std::optional(SBX_TRY(AuthFile::parse(*content, place.path, place.format)))
                 : std::optional<AuthFile>();
}

/// Docker asks its helpers about docker.io by a URL, podman by the host.
Result<std::optional<Credentials>> ask(const CredentialHelper& helper, std::string_view host) {
  const std::string key = credential_key(host);
  std::optional<Credentials> found = SBX_TRY(helper.get(key));
  const std::string name = registry_name(host);
  if (!found && key != name) {
    found = SBX_TRY(helper.get(name));
  }
  return found;
}

Result<std::optional<Credentials>> ask_named(const std::string& name, const Environment& env,
                                             std::string_view host) {
  return ask(SBX_TRY(CredentialHelper::find(name, env.path)), host);
}

Result<std::optional<Credentials>> find_in_file(const Environment& env, const AuthFile& file,
                                                std::string_view host,
                                                std::string_view repository) {
  if (const std::string name = file.helper_for(host); !name.empty()) {
    return ask_named(name, env, host);
  }
  std::optional<Credentials> found = SBX_TRY(file.find(host, repository));
  if (found || file.default_helper().empty()) {
    return found;
  }
  Result<CredentialHelper> helper = CredentialHelper::find(file.default_helper(), env.path);
  if (!helper && helper.error().code == ErrorCode::kNotFound) {
    log::debug("credsStore '{}' is not in PATH, ignoring", printable(file.default_helper(), 64));
    return found;
  }
  return ask(SBX_TRY(std::move(helper)), host);
}

Result<std::optional<Credentials>> find_in_files(const AuthSources& sources, std::string_view host,
                                                 std::string_view repository) {
  for (const Place& place : places(sources)) {
    const std::optional<AuthFile> file = SBX_TRY(read_place(place));
    if (!file) {
      continue;
    }
    std::optional<Credentials> found =
        SBX_TRY(find_in_file(sources.env, *file, host, repository)
                    .context(fmt::format("looking for credentials for '{}' in '{}'",
                                         registry_name(host), place.path)));
    if (found) {
      log::debug("credentials for {} from {}", registry_name(host), place.path);
      return found;
    }
  }
  return std::optional<Credentials>{};
}

std::string host_of_key(const std::string& key) { return key.substr(0, key.find('/')); }

Result<void> check_key(const std::string& key) {
  const bool plain = !key.empty() && key.find("://") == std::string::npos &&
                     key.find('@') == std::string::npos && key.front() != '/' && key.back() != '/';
  if (!plain || !oci::Reference::parse(key + "/name")) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "log in to", key,
                            "it must be HOST[:PORT][/NAMESPACE], without https://"));
  }
  return {};
}

/// The file that login and logout change.
Result<std::string> writable_file(const AuthSources& sources) {
  if (std::string named = named_file(sources); !named.empty()) {
    return named;
  }
  const Environment& env = sources.env;
  if (!env.runtime_dir.empty() && sys::exists_at(AT_FDCWD, env.runtime_dir)) {
    return env.runtime_dir + "/containers/auth.json";
  }
  if (env.uid == 0 && env.runtime_dir.empty()) {
    return run_file(env);
  }
  if (!env.config_home.empty()) {
    return env.config_home + "/containers/auth.json";
  }
  return fail(Error::make(ErrorCode::kNotFound, "find a file for credentials", "",
                          "neither XDG_RUNTIME_DIR nor HOME is set")
                  .with_hint("give --authfile FILE"));
}

/// A file of credentials, locked against other logins, to be read, changed and written back.
class Editor {
 public:
  static Result<Editor> open(const AuthSources& sources) {
    std::string path = SBX_TRY(writable_file(sources));
    if (sys::exists_at(AT_FDCWD, path)) {
      path = SBX_TRY(sys::real_path(path));  // the file itself is replaced, not a link to it
    }
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash > 0) {
      SBX_TRY(sys::make_dirs(SBX_TRY(sys::absolute_path(path.substr(0, slash))), 0700));
    }
    sys::FileLock lock =
        SBX_TRY(sys::FileLock::acquire(AT_FDCWD, path + ".lock", sys::FileLock::Kind::kExclusive));
    const std::string text = SBX_TRY(read_if_there(path, kMaxFile)).value_or("");
    AuthFile file = SBX_TRY(AuthFile::parse(text, path, AuthFormat::kCurrent));
    return Editor(std::move(path), std::move(lock), std::move(file));
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  AuthFile& file() { return file_; }
  /// Docker reads only its own spelling of docker.io.
  [[nodiscard]] std::string spelling(const std::string& key) const {
    const bool docker = path_ == "config.json" || path_.ends_with("/config.json");
    return docker ? credential_key(key) : plain_key(key, AuthFormat::kCurrent);
  }
  Result<void> save() {
    return sys::write_file_at(AT_FDCWD, path_, file_.serialise(), 0600, sys::Durability::kSynced);
  }

 private:
  Editor(std::string path, sys::FileLock lock, AuthFile file)
      : path_(std::move(path)), lock_(std::move(lock)), file_(std::move(file)) {}

  std::string path_;
  sys::FileLock lock_;
  AuthFile file_;
};

/// The helper that keeps `key`: of the file, else the first of registries.conf. Empty: the file itself.
std::string keeper(const AuthSources& sources, const AuthFile& file, const std::string& key) {
  if (std::string helper = file.helper_for(host_of_key(key)); !helper.empty()) {
    return helper;
  }
  if (!sources.helpers.empty() && sources.helpers.front() != kAuthFiles) {
    return sources.helpers.front();
  }
  return file.default_helper();
}

Unexpected<Error> no_namespace(const std::string& key, const std::string& helper) {
  return fail(
      Error::make(ErrorCode::kUnsupported, "keep credentials for", key,
                  fmt::format("credential helper '{}' knows hosts only", printable(helper, 64)))
          .with_hint("log in to the host, or give --authfile FILE"));
}

}  // namespace

Result<std::optional<Credentials>> find_credentials(const AuthSources& sources,
                                                    std::string_view host,
                                                    std::string_view repository) {
  if (sources.helpers.empty()) {
    return find_in_files(sources, host, repository);
  }
  // As containers/image: who fails is passed over as long as another one has an answer.
  std::optional<Error> first_failure;
  for (const std::string& helper : sources.helpers) {
    Result<std::optional<Credentials>> found = helper == kAuthFiles
                                                   ? find_in_files(sources, host, repository)
                                                   : ask_named(helper, sources.env, host);
    if (found && *found) {
      return found;
    }
    if (!found && !first_failure) {
      first_failure = std::move(found).error();
    }
  }
  if (first_failure) {
    return fail(std::move(*first_failure));
  }
  return std::optional<Credentials>{};
}

Result<std::string> store_credentials(const AuthSources& sources, const std::string& key,
                                      const Credentials& credentials) {
  SBX_TRY(check_key(key));
  Editor editor = SBX_TRY(Editor::open(sources));
  const std::string helper = keeper(sources, editor.file(), key);
  if (helper.empty()) {
    editor.file().set(editor.spelling(key), credentials);
    SBX_TRY(editor.save());
    return editor.path();
  }
  if (host_of_key(key) != key) {
    return no_namespace(key, helper);
  }
  const CredentialHelper program = SBX_TRY(CredentialHelper::find(helper, sources.env.path));
  SBX_TRY(program.store(credential_key(key), credentials));
  // Old credentials in the file would be found first or be forgotten there; docker leaves an empty mark.
  editor.file().set(editor.spelling(key), Credentials{});
  SBX_TRY(editor.save());
  return fmt::format("credential helper {}", helper);
}

Result<Erased> erase_credentials(const AuthSources& sources, const std::string& key) {
  SBX_TRY(check_key(key));
  Editor editor = SBX_TRY(Editor::open(sources));
  Erased out;
  const std::string helper = keeper(sources, editor.file(), key);
  if (!helper.empty() && host_of_key(key) == key) {
    const CredentialHelper program = SBX_TRY(CredentialHelper::find(helper, sources.env.path));
    out.found = SBX_TRY(program.erase(credential_key(key)));
  }
  if (editor.file().remove(key)) {
    out.found = true;
    SBX_TRY(editor.save());
  }
  for (const Place& place : places(sources)) {
    const Result<std::optional<AuthFile>> file = read_place(place);
    if (place.path != editor.path() && file && *file &&
        (*file)->list().contains(plain_key(key, AuthFormat::kCurrent))) {
      out.left.push_back(place.path);
    }
  }
  return out;
}

Result<std::vector<Login>> list_logins(const AuthSources& sources) {
  std::vector<Login> out;
  std::set<std::string> known;
  for (const Place& place : places(sources)) {
    const std::optional<AuthFile> file = SBX_TRY(read_place(place));
    if (!file) {
      continue;
    }
    for (const auto& [key, user] : file->list()) {
      if (known.insert(key).second) {
        out.push_back({key, user, place.path});
      }
    }
  }
  return out;
}

}  // namespace sbx::registry
