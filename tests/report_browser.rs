//! The page of `bench --report` in a real browser: not blank in light and dark, and no wider than a phone. Where no
//! Chromium is installed these tests say that they are skipped, or fail if FOREGATE_REQUIRE_BROWSER is set.

#![allow(missing_docs)]

mod common;

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Dir, foregate};

/// A Chromium on the search path.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let dirs: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let found = dirs.iter().flat_map(|dir| names.map(|name| dir.join(name))).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("FOREGATE_REQUIRE_BROWSER").is_none(), "no Chromium is on the search path");
        eprintln!("skipped: no Chromium is on the search path");
    }
    found
}

/// Runs the browser without a window and gives what it prints.
fn browse(browser: &Path, dir: &Dir, flags: &[&str], page: &Path) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--virtual-time-budget=4000"])
        // a container's root has no sandbox; the page is our own
        .args(["--no-sandbox", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .args(flags)
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .output()
        .expect("the browser starts");
    assert!(output.status.success(), "the browser ends with {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A report of the demo model, small and quick.
fn report(dir: &Dir) -> PathBuf {
    let path = dir.path().join("report.html");
    foregate(["bench", "--sizes", "12.5%,50%", "--policies", "lru,next-use", "--prefetch-modes", "off,auto"])
        .args(["-n", "4", "--device", "cpu", "--memory", "512MiB", "--report"])
        .arg(&path)
        .ok();
    path
}

/// A screenshot's width, and RGB from the top left.
fn pixels(shot: &Path) -> (usize, Vec<[u8; 3]>) {
    let file = BufReader::new(File::open(shot).expect("a screenshot"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size that memory holds")];
    let info = reader.next_frame(&mut bytes).expect("a whole image");
    let channels = info.color_type.samples();
    assert!(info.bit_depth == png::BitDepth::Eight && channels >= 3, "{info:?}");
    let rgb = bytes[..info.buffer_size()].chunks_exact(channels).map(|p| [p[0], p[1], p[2]]);
    (info.width as usize, rgb.collect())
}

#[test]
fn the_page_shows_something_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let dir = Dir::new();
    let page = report(&dir);
    for (scheme, setting, ground) in [("light", 1, [0xf6, 0xf5, 0xf1]), ("dark", 0, [0x14, 0x17, 0x1a])] {
        let shot = dir.path().join(format!("{scheme}.png"));
        let flags = [
            format!("--screenshot={}", shot.display()),
            format!("--blink-settings=preferredColorScheme={setting}"),
            "--window-size=1200,1400".to_owned(),
        ];
        browse(&browser, &dir, &flags.each_ref().map(String::as_str), &page);
        let (width, rgb) = pixels(&shot);
        assert_eq!(width, 1200);
        assert_eq!(rgb[0], ground, "the ground in {scheme}");
        let colours: HashSet<[u8; 3]> = rgb.iter().copied().collect();
        assert!(colours.len() > 100, "{scheme}: {} colours", colours.len());
        let drawn = rgb.iter().filter(|&&p| p != ground).count();
        assert!(drawn > rgb.len() / 4, "{scheme}: most of the page is empty");
    }
}

/// Embeds the page at a width, with a script that tells how wide its content is; gives that width.
fn content_width(browser: &Path, dir: &Dir, page: &Path, width: usize) -> usize {
    let tell = "<script>addEventListener('load', () => { document.querySelectorAll('details').forEach(d => d.open = true); \
                parent.postMessage(document.documentElement.scrollWidth, '*'); })</script></body>";
    let inner = std::fs::read_to_string(page).unwrap().replace("</body>", tell);
    dir.file("inner.html", inner);
    let outer = format!(
        "<body><script>onmessage = e => document.body.dataset.width = 'is' + e.data + '.'</script>\
         <iframe src=\"inner.html\" style=\"width: {width}px; height: 800px; border: 0\"></iframe></body>"
    );
    let outer = dir.file("outer.html", outer);
    let dom = browse(browser, dir, &["--dump-dom", "--window-size=1200,900"], &outer);
    let told = dom.split("data-width=\"is").nth(1).and_then(|rest| rest.split('.').next());
    told.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("the page tells its width: {dom}"))
}

#[test]
fn the_page_is_no_wider_than_a_phone() {
    let Some(browser) = browser() else { return };
    let dir = Dir::new();
    let page = report(&dir);
    for width in [390, 320, 800, 1200] {
        assert_eq!(content_width(&browser, &dir, &page, width), width);
    }
}
