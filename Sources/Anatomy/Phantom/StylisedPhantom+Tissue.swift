public import Imaging

extension StylisedPhantom {
    /// CT numbers of the labelled tissues.
    ///
    /// - Units: HU.
    public static func hounsfield(of labels: Volume<StructureLabel>) -> Volume<Float> {
        let table = (UInt8.min...UInt8.max).map { hounsfield(of: StructureLabel(code: $0)) }
        return labels.map { table[Int($0.code)] }
    }

    private static func hounsfield(of label: StructureLabel) -> Float {
        if label == .air { return -1000 }
        if label.lesion != nil { return 150 }
        return label.isMedulla ? 35 : label.organ.map { hounsfield(of: $0) } ?? 0
    }

    private static func hounsfield(of organ: Organ) -> Float {
        switch organ {
        case .lungs: -750
        case .bone: 420
        case .liver: 60
        case .spleen: 50
        case .bladder: 8
        case .stomach, .smallIntestine: 25
        case .remainder: 20
        case .kidneyLeft, .kidneyRight, .pancreas, .parotidLeft, .parotidRight, .submandibularLeft,
            .submandibularRight, .lacrimalLeft, .lacrimalRight:
            35
        }
    }
}
