//! Input of a large cluster's size.

mod slow {
    use crate::faults::process::Running;
    use crate::objects::web;
    use crate::support::podlag;

    /// Pods and events of 60,000 pods that start within ten minutes, with what pods carry besides.
    #[test]
    fn a_dump_of_a_gigabyte_is_read_in_bounded_memory() {
        const PODS: usize = 60_000;
        let mut all = web();
        let padding = format!(r#""uid":"a-1","annotations":{{"last-applied":"{}"}}"#, "x".repeat(16_000));
        all[0] = all[0].replace(r#""uid":"a-1""#, &padding);
        let written: usize = all.iter().map(|text| text.len() * PODS).sum();
        assert!(written > 1 << 30, "{written}");
        let ended = Running::fed(podlag().arg("-"), move |pipe| {
            for text in &all {
                // What differs from pod to pod stands between these parts.
                let parts: Vec<&str> = text.split("\"web\"").collect();
                for at in 0..PODS {
                    let uid = format!("00000000-0000-4000-8000-{at:012}");
                    let minute = format!("10:{:02}:", at / (PODS / 10));
                    let (pod, node) = (format!("\"web-{at}\""), format!("\"n{}\"", at % 2000));
                    for (number, part) in parts.iter().enumerate() {
                        if number > 0 {
                            pipe.write_all(pod.as_bytes())?;
                        }
                        let (head, rest) = part.split_at(part.find("xxx").unwrap_or(part.len()));
                        let head = head.replace("a-1", &uid).replace("\"n1\"", &node).replace("10:00:", &minute);
                        let padding = rest.rfind("xxx").map_or(0, |end| end + 3);
                        let (padding, tail) = rest.split_at(padding);
                        let tail = tail.replace("a-1", &uid).replace("\"n1\"", &node).replace("10:00:", &minute);
                        pipe.write_all(head.as_bytes())?;
                        pipe.write_all(padding.as_bytes())?;
                        pipe.write_all(tail.as_bytes())?;
                    }
                }
            }
            Ok(())
        })
        .end();
        println!("{} MiB of JSON, {} MiB of memory", written >> 20, ended.peak);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.out.starts_with("60,000 pod starts on 2,000 nodes"), "{}", ended.out);
        assert!(
            ended.out.contains("image-pull-queued") && ended.out.contains("60,000 pods, 300,000 events"),
            "{}",
            ended.out
        );
        assert!((50..600).contains(&ended.peak), "{} MiB", ended.peak);
    }
}
